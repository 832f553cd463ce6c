#include "data/chat_server.hpp"

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <patchioner/error.hpp>
#include <thread>

#include "data/record_file.hpp"
#include "support/files.hpp"
#include "support/http.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::json;

/// "http://host:8000/v1" -> "http://host:8000" and "/v1".
struct Address {
  std::string server;
  std::string path;
};

Address address_of(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos || (!url.starts_with("http://") && !url.starts_with("https://")) ||
      scheme + 3 == url.size()) {
    throw Error(ErrorKind::usage, "'{}' is no address of a server; it looks like http://localhost:8000/v1",
                url);
  }
  const size_t path = std::min(url.find('/', scheme + 3), url.size());
  Address address{url.substr(0, path), url.substr(path)};
  while (address.path.ends_with('/')) {
    address.path.pop_back();
  }
  return address;
}

/// Replies that were given before, in a file that grows. [any-thread]
class ReplyCache {
 public:
  explicit ReplyCache(const std::filesystem::path& path) {
    if (path.empty()) {
      return;
    }
    make_folder_of(path);
    file_ = std::make_unique<RecordFile>(path, RecordFileMode::resume);
    file_->read([&](std::string_view line, size_t number) {
      const Json record = Json::parse(line, nullptr, false);
      if (!record.is_object() || !record.contains("digest") || !record["digest"].is_string() ||
          !record.contains("reply") || !record["reply"].is_string()) {
        throw Error(ErrorKind::data, "{}:{}: is no reply that was kept; remove the file or name another one",
                    path.string(), number);
      }
      replies_[record["digest"].get<std::string>()] = record["reply"].get<std::string>();
    });
  }

  std::optional<std::string> find(const std::string& digest) const {
    const auto found = replies_.find(digest);
    return found == replies_.end() ? std::nullopt : std::optional(found->second);
  }

  void keep(const std::string& digest, const std::string& sentence, const std::string& reply) {
    if (file_ == nullptr) {
      return;
    }
    nlohmann::ordered_json record = {{"digest", digest}, {"sentence", sentence}, {"reply", reply}};
    const std::string line = record.dump(-1, ' ', false, Json::error_handler_t::replace);
    const std::lock_guard lock(mutex_);
    file_->append(line);
  }

 private:
  std::unique_ptr<RecordFile> file_;
  std::map<std::string, std::string> replies_;
  std::mutex mutex_;
};

/// Waits, but not longer than until an interrupt or `stop`.
void wait_for(std::chrono::milliseconds pause, const std::atomic<bool>& stop) {
  constexpr std::chrono::milliseconds kStep{50};
  for (auto waited = std::chrono::milliseconds(0); waited < pause && !interrupted() && !stop;
       waited += kStep) {
    std::this_thread::sleep_for(std::min(kStep, pause - waited));
  }
}

class ChatRewriter : public SentenceRewriter {
 public:
  explicit ChatRewriter(ChatOptions options)
      : options_(std::move(options)), address_(address_of(options_.url)), cache_(options_.cache) {}

  Replies rewrite(std::span<const std::string> sentences) override {
    Replies replies;
    std::vector<std::string> asked;
    for (const std::string& sentence : sentences) {
      if (const auto kept = cache_.find(digest_of(sentence))) {
        replies[sentence] = *kept;
      } else {
        asked.push_back(sentence);
      }
    }
    Progress progress("rewriting", "sentences", sentences.size());
    progress.start_at(replies.size());
    std::atomic<size_t> next = 0;
    std::atomic<bool> stop = false;
    std::exception_ptr failure;
    std::mutex mutex;
    const auto work = [&] {
      httplib::Client client(address_.server);
      client.set_read_timeout(options_.timeout_seconds);
      client.set_keep_alive(true);
      try {
        for (size_t index = next++; index < asked.size() && !stop && !interrupted(); index = next++) {
          const std::optional<std::string> reply = ask(client, asked[index], stop);
          if (!reply) {
            return;
          }
          cache_.keep(digest_of(asked[index]), asked[index], *reply);
          const std::lock_guard lock(mutex);
          replies[asked[index]] = *reply;
          progress.advance();
        }
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = failure ? failure : std::current_exception();
        stop = true;
      }
    };
    std::vector<std::jthread> workers;
    for (int64_t i = 0; i < std::min<int64_t>(options_.jobs, static_cast<int64_t>(asked.size())); ++i) {
      workers.emplace_back(work);
    }
    workers.clear();  // joins
    progress.finish();
    if (failure) {
      std::rethrow_exception(failure);
    }
    return replies;
  }

 private:
  std::string digest_of(const std::string& sentence) const {
    return sha256(options_.model + "\n" + prompt_for(options_.prompt_template, sentence));
  }

  /// The reply, or nothing after an interrupt.
  std::optional<std::string> ask(httplib::Client& client, const std::string& sentence,
                                 const std::atomic<bool>& stop) const {
    const Json message = {{"role", "user"}, {"content", prompt_for(options_.prompt_template, sentence)}};
    const Json body = {{"model", options_.model},
                       {"messages", Json::array({message})},
                       {"temperature", options_.temperature}};
    httplib::Headers headers;
    if (!options_.key.empty()) {
      headers.emplace("Authorization", "Bearer " + options_.key);
    }
    const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::chrono::milliseconds pause = options_.first_wait;
    std::string trouble;
    for (int64_t attempt = 1; attempt <= options_.attempts; ++attempt) {
      if (attempt > 1) {
        wait_for(pause, stop);
        pause *= 2;
      }
      if (stop || interrupted()) {
        return std::nullopt;
      }
      const httplib::Result result =
          client.Post(address_.path + "/chat/completions", headers, text, "application/json");
      if (!result) {
        trouble = "no answer (" + httplib::to_string(result.error()) + ")";
        continue;
      }
      if (result->status == 200) {
        return content_of(result->body);
      }
      trouble = fmt::format("status {}: {}", result->status, result->body.substr(0, 200));
      constexpr int kTooMany = 429;
      constexpr int kServerFault = 500;
      if (result->status != kTooMany && result->status < kServerFault) {
        throw Error(ErrorKind::io, "{}: the server refuses: {}", options_.url, trouble);
      }
      const std::string named = result->get_header_value("Retry-After");
      if (!named.empty() && named.size() < 5 && named.find_first_not_of("0123456789") == std::string::npos) {
        pause = std::max(pause, std::chrono::milliseconds(std::chrono::seconds(std::stoi(named))));
      }
    }
    throw Error(ErrorKind::io,
                "{}: given up after {} attempts: {}; the same command goes on where it stopped", options_.url,
                options_.attempts, trouble);
  }

  std::string content_of(const std::string& answer) const {
    const Json json = Json::parse(answer, nullptr, false);
    const auto pointer = Json::json_pointer("/choices/0/message/content");
    if (json.is_discarded() || !json.contains(pointer) || !json.at(pointer).is_string()) {
      throw Error(ErrorKind::data, "{}: answers something that is no chat completion: {}", options_.url,
                  answer.substr(0, 200));
    }
    return json.at(pointer).get<std::string>();
  }

  ChatOptions options_;
  Address address_;
  ReplyCache cache_;
};

}  // namespace

std::unique_ptr<SentenceRewriter> chat_rewriter(ChatOptions options) {
  return std::make_unique<ChatRewriter>(std::move(options));
}

}  // namespace patchioner
