// Rewriting by a server: one in this process that fails as real ones do.
#include "data/chat_server.hpp"

#include <atomic>
#include <functional>
#include <thread>

#include "refusals.hpp"
#include "support/files.hpp"
#include "support/http.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

using Answer = std::function<void(const nlohmann::json& request, httplib::Response& response)>;

/// Listens on a free port of this machine while it lives.
class ChatServer {
 public:
  explicit ChatServer(Answer answer) {
    server_.Post("/v1/chat/completions", [this, answer = std::move(answer)](const httplib::Request& request,
                                                                            httplib::Response& response) {
      ++requests;
      authorization = request.get_header_value("Authorization");
      answer(nlohmann::json::parse(request.body), response);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) {
      std::this_thread::yield();
    }
  }
  ~ChatServer() {
    server_.stop();
    thread_.join();
  }

  ChatOptions options() const {
    ChatOptions options;
    options.url = fmt::format("http://127.0.0.1:{}/v1", port_);
    options.model = "tiny";
    options.prompt_template = "Rewrite: <INPUT CAPTION>";
    options.first_wait = std::chrono::milliseconds(1);
    options.jobs = 1;
    return options;
  }

  std::atomic<int> requests = 0;
  std::string authorization;

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
};

void reply(const std::string& text, httplib::Response& response) {
  const nlohmann::json message = {{"role", "assistant"}, {"content", text}};
  const nlohmann::json choice = {{"index", 0}, {"message", message}};
  response.set_content(nlohmann::json{{"choices", nlohmann::json::array({choice})}}.dump(),
                       "application/json");
}

/// Says the prompt back, in braces.
void echo(const nlohmann::json& request, httplib::Response& response) {
  reply("{" + request.at("messages").at(0).at("content").get<std::string>() + "}", response);
}

const std::vector<std::string> kSentences = {"A.", "B.", "C."};

}  // namespace

TEST_CASE("a server is asked once for each sentence, with model, temperature and key") {
  nlohmann::json seen;
  ChatServer server([&](const nlohmann::json& request, httplib::Response& response) {
    seen = request;
    echo(request, response);
  });
  ChatOptions options = server.options();
  options.key = "secret";
  CHECK(chat_rewriter(options)->rewrite(kSentences) ==
        Replies{{"A.", "{Rewrite: A.}"}, {"B.", "{Rewrite: B.}"}, {"C.", "{Rewrite: C.}"}});
  CHECK(server.requests == 3);
  CHECK(server.authorization == "Bearer secret");
  CHECK(seen.at("model") == "tiny");
  CHECK(seen.at("temperature") == 0);
  CHECK(seen.at("messages").at(0).at("role") == "user");
}

TEST_CASE("a server that is busy or fails is asked again") {
  std::atomic<int> count = 0;
  ChatServer server([&](const nlohmann::json& request, httplib::Response& response) {
    const int number = count++;
    if (number % 3 == 2) {
      echo(request, response);
      return;
    }
    response.status = number % 3 == 0 ? 503 : 429;
    response.set_header("Retry-After", "0");
  });
  CHECK(chat_rewriter(server.options())->rewrite(kSentences).size() == 3);
  CHECK(server.requests == 9);
}

TEST_CASE("replies are kept, and a run that ended goes on where it was") {
  const TestFolder folder;
  std::atomic<bool> broken = true;
  ChatServer server([&](const nlohmann::json& request, httplib::Response& response) {
    if (broken && request.at("messages").at(0).at("content") == "Rewrite: C.") {
      response.status = 500;
      response.set_content("out of memory", "text/plain");
      return;
    }
    echo(request, response);
  });
  ChatOptions options = server.options();
  options.cache = folder / "kept/replies.jsonl";
  options.attempts = 2;
  mentions(refusal_of(ErrorKind::io, [&] { chat_rewriter(options)->rewrite(kSentences); }),
           "given up after 2 attempts: status 500: out of memory");
  broken = false;
  server.requests = 0;
  CHECK(chat_rewriter(options)->rewrite(kSentences).size() == 3);
  CHECK(server.requests == 1);
  CHECK(chat_rewriter(options)->rewrite(kSentences).size() == 3);
  CHECK(server.requests == 1);
  options.prompt_template = "Otherwise: <INPUT CAPTION>";  // another prompt is another question
  CHECK(chat_rewriter(options)->rewrite(kSentences).size() == 3);
  CHECK(server.requests == 4);
  folder.write("kept/replies.jsonl", "{}\n");
  mentions(refusal_of(ErrorKind::data, [&] { chat_rewriter(options); }), "replies.jsonl:1: is no reply");
}

TEST_CASE("a server that refuses is not asked again, and is quoted") {
  ChatServer server([](const nlohmann::json&, httplib::Response& response) {
    response.status = 404;
    response.set_content("no model 'tiny'", "text/plain");
  });
  mentions(refusal_of(ErrorKind::io, [&] { chat_rewriter(server.options())->rewrite(kSentences); }),
           "the server refuses: status 404: no model 'tiny'");
  CHECK(server.requests == 1);
}

TEST_CASE("an answer that is no chat completion, no server, no address") {
  ChatServer server([](const nlohmann::json&, httplib::Response& response) {
    response.set_content("<html>", "text/html");
  });
  ChatOptions options = server.options();
  mentions(refusal_of(ErrorKind::data, [&] { chat_rewriter(options)->rewrite(kSentences); }),
           "no chat completion: <html>");
  options.url = "http://127.0.0.1:1/v1";
  options.attempts = 2;
  mentions(refusal_of(ErrorKind::io, [&] { chat_rewriter(options)->rewrite(kSentences); }), "no answer (");
  options.url = "localhost:8000";
  mentions(refusal_of(ErrorKind::usage, [&] { chat_rewriter(options); }), "no address of a server");
}
