// patchioner dataset traces: the trace-captioning benchmark out of Localized Narratives.
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <patchioner/log.hpp>
#include <unordered_set>

#include "config/config.hpp"
#include "data/chat_server.hpp"
#include "data/dataset_reading.hpp"
#include "dataset.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace patchioner::dataset_command {
namespace {

constexpr const char* kPromptFile = "prompts/trace_caption.txt";  // in the folder of configs

struct TracesArguments {
  std::vector<std::string> files;
  std::string output;
  std::string only;
  std::string split = "test";
  std::string replies;
  std::string write_prompts;
  std::string prompt;
  std::string sentences;
  ChatOptions chat;
  std::string cache;
  std::string key_variable;
  bool strict = false;
  bool force = false;
  bool quiet = false;
};

/// How a file of images names the image of a narrative: the number at the end of its name (COCO's in all its
/// spellings), or the name without its ending.
std::string narrative_id(const std::string& file_name) {
  const std::string stem = std::filesystem::path(file_name).stem().string();
  const size_t digits = stem.find_last_not_of("0123456789") + 1;
  return benchmark_key(digits == stem.size() ? stem : stem.substr(digits));
}

/// The images that the benchmark is limited to; nothing for all.
std::optional<std::unordered_set<std::string>> images_of(const TracesArguments& arguments) {
  if (arguments.only.empty()) {
    return std::nullopt;
  }
  DatasetOptions options;
  options.files = {arguments.only};
  options.split = arguments.split;
  const Dataset dataset = Dataset::open(options);
  std::unordered_set<std::string> ids;
  for (size_t i = 0; i < dataset.size(); ++i) {
    ids.insert(narrative_id(dataset.image(i).file_name));
  }
  return ids;
}

/// The image of a narrative, without parsing all of it; empty where that is not well-formed.
std::string image_key_of(const JsonPiece& line) {
  std::string key;
  try {
    visit_members(line, "", [&](const JsonPiece& member) {
      if (member.key == "image_id") {
        key = benchmark_key(id_text(parse_piece(member, "")));
      }
      return key.empty();
    });
  } catch (const Error&) {
    key.clear();  // whoever parses the line says what is wrong with it
  }
  return key;
}

TraceBenchmark read_narratives(const TracesArguments& arguments) {
  const auto wanted = images_of(arguments);
  DatasetOptions options;
  options.files = {arguments.files.begin(), arguments.files.end()};
  options.strict = arguments.strict;
  DatasetReading reading(options);
  TraceBenchmark benchmark;
  for (const std::filesystem::path& path : options.files) {
    const size_t file = reading.open_file(path);
    visit_json_lines(
        reading, file,
        [&](const JsonPiece&, const std::string& where, const OrderedJson& record) {
          reading.attempt(where, [&] { benchmark.add(narrative_from_json(record)); });
        },
        [&](const JsonPiece& line) {
          const std::string key = wanted ? image_key_of(line) : "";
          return key.empty() || wanted->contains(key);
        });
  }
  for (const std::string& line : reading.problems().summary()) {
    log(LogLevel::warning, "{}", line);
  }
  return benchmark;
}

std::string read_prompt(const TracesArguments& arguments) {
  const std::filesystem::path path =
      arguments.prompt.empty() ? config_directory() / kPromptFile : std::filesystem::path(arguments.prompt);
  std::string prompt = read_file(path);
  prompt.erase(prompt.find_last_not_of(" \t\r\n") + 1);
  try {
    (void)prompt_for(prompt, "");
  } catch (const Error& error) {
    throw error.within(path.string());
  }
  return prompt;
}

std::unique_ptr<SentenceRewriter> rewriter_of(const TracesArguments& arguments) {
  if (!arguments.replies.empty()) {
    return reply_file_rewriter(arguments.replies);
  }
  if (arguments.chat.url.empty()) {
    return rule_rewriter();
  }
  ChatOptions chat = arguments.chat;
  chat.prompt_template = read_prompt(arguments);
  chat.cache = arguments.cache.empty() ? arguments.output + ".replies.jsonl" : arguments.cache;
  if (!arguments.key_variable.empty()) {
    const char* key = std::getenv(arguments.key_variable.c_str());
    if (key == nullptr) {
      throw Error(ErrorKind::usage, "--key-from {}: this environment variable is not set",
                  arguments.key_variable);
    }
    chat.key = key;
  }
  return chat_rewriter(std::move(chat));
}

void check_arguments(const TracesArguments& arguments) {
  if (!arguments.replies.empty() && !arguments.chat.url.empty()) {
    throw Error(ErrorKind::usage, "--replies and --server both say where replies come from; give one");
  }
  if (!arguments.chat.url.empty() && arguments.chat.model.empty()) {
    throw Error(ErrorKind::usage, "--server needs --model: the name of the model as the server calls it");
  }
  if (arguments.output.empty() == arguments.write_prompts.empty()) {
    throw Error(ErrorKind::usage, "give --output for the benchmark or --write-prompts for the prompts");
  }
  for (const std::string& file : {arguments.output, arguments.write_prompts, arguments.sentences}) {
    if (!file.empty() && !arguments.force && std::filesystem::exists(file)) {
      throw Error(ErrorKind::usage, "{}: exists; replace it by --force", file);
    }
  }
}

void write_prompts(const TraceBenchmark& benchmark, const TracesArguments& arguments) {
  const std::string prompt = read_prompt(arguments);
  make_folder_of(arguments.write_prompts);
  AtomicFile file(arguments.write_prompts);
  for (const std::string& sentence : benchmark.sentences()) {
    const OrderedJson record = {{"sentence", sentence}, {"prompt", prompt_for(prompt, sentence)}};
    file.write(record.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  }
  file.commit();
  fmt::print("{}: {} prompts\n", arguments.write_prompts, benchmark.sentences().size());
}

void write_benchmark(const TraceBenchmark& benchmark, const Replies& replies,
                     const TracesArguments& arguments) {
  make_folder_of(arguments.output);
  AtomicFile file(arguments.output);
  std::map<SentenceFate, size_t> fates;
  size_t images = 0;
  file.write("{");
  benchmark.write(
      replies,
      [&](const std::string& key, const OrderedJson& value) {
        file.write(images++ == 0 ? "" : ",");
        file.write(OrderedJson(key).dump());
        file.write(":");
        file.write(value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
      },
      fates);
  file.write("}\n");
  file.commit();
  fmt::print("{}: {} captions with traces of {} images", arguments.output, fates[SentenceFate::kept], images);
  for (const auto& [fate, count] : fates) {
    if (fate != SentenceFate::kept) {
      fmt::print(", {} {}", count, to_string(fate));
    }
  }
  fmt::print("\n");
}

/// One line a sentence: what it became and why it was left out.
void write_sentences(const TraceBenchmark& benchmark, const Replies& replies, const std::string& path) {
  make_folder_of(path);
  AtomicFile file(path);
  benchmark.for_each_sentence([&](const std::string& key, const TraceSentence& sentence) {
    const ParsedReply parsed = TraceBenchmark::fate_of(sentence, replies);
    const auto reply = replies.find(sentence.text);
    OrderedJson record = {{"image_id", key},
                          {"sentence", sentence.text},
                          {"start", sentence.start},
                          {"end", sentence.end},
                          {"points", sentence.point_count},
                          {"trim_each_side", sentence.trimmed},
                          {"kept", sentence.points.size()},
                          {"reply", reply == replies.end() ? OrderedJson() : OrderedJson(reply->second)},
                          {"status", to_string(parsed.fate)}};
    record["caption"] = parsed.fate == SentenceFate::kept ? OrderedJson(parsed.caption) : OrderedJson();
    file.write(record.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  });
  file.commit();
}

void run_traces(const TracesArguments& arguments, CommandLine& line) {
  Progress::set_enabled(!arguments.quiet);
  check_arguments(arguments);
  const TraceBenchmark benchmark = read_narratives(arguments);
  if (!arguments.write_prompts.empty()) {
    write_prompts(benchmark, arguments);
    return;
  }
  const PoliteInterrupt polite;
  const Replies replies = rewriter_of(arguments)->rewrite(benchmark.sentences());
  if (interrupted()) {
    log(LogLevel::warning, "stopped with {} of {} sentences rewritten; the same command goes on from there",
        replies.size(), benchmark.sentences().size());
    line.exit_code = 1;
    return;
  }
  if (!arguments.sentences.empty()) {
    write_sentences(benchmark, replies, arguments.sentences);
  }
  write_benchmark(benchmark, replies, arguments);
  if (replies.size() < benchmark.sentences().size()) {
    log(LogLevel::warning, "{} of {} sentences have no reply in {} and were left out",
        benchmark.sentences().size() - replies.size(), benchmark.sentences().size(), arguments.replies);
  }
}

}  // namespace

void add_traces(CLI::App& dataset, CommandLine& line) {
  CLI::App* command =
      dataset.add_subcommand("traces", "Build the trace-captioning benchmark from Localized Narratives");
  auto arguments = std::make_shared<TracesArguments>();
  command->add_option("NARRATIVES", arguments->files, "Localized Narratives, JSON lines")->required();
  command->add_option("-o,--output", arguments->output, "The benchmark, a file of traces");
  command->add_option("--only", arguments->only,
                      "Limit it to the images of this file: Karpathy's split, a COCO image list ...");
  command->add_option("--split", arguments->split, "Of a Karpathy file given to --only")
      ->capture_default_str();
  command->add_option("--replies", arguments->replies,
                      "Replies of a language model: {sentence: reply}, or JSON lines of sentence and reply");
  command->add_option("--write-prompts", arguments->write_prompts,
                      "Write a prompt for each sentence, as JSON lines, and nothing else");
  command->add_option("--prompt", arguments->prompt,
                      "A prompt of one's own, with <INPUT CAPTION> where the sentence goes");
  command->add_option("--server", arguments->chat.url,
                      "OpenAI-compatible server that rewrites: http://localhost:8000/v1");
  command->add_option("--model", arguments->chat.model, "The model, as the server calls it");
  command->add_option("--key-from", arguments->key_variable,
                      "Environment variable that holds the server's key");
  command->add_option("--cache", arguments->cache,
                      "Where replies of the server are kept; by default OUTPUT.replies.jsonl");
  command->add_option("--jobs", arguments->chat.jobs, "Requests at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--attempts", arguments->chat.attempts, "Attempts at a request, with growing pauses")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  command->add_option("--timeout", arguments->chat.timeout_seconds, "Seconds that one reply may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--sentences", arguments->sentences,
                      "Write what became of every sentence, as JSON lines");
  command->add_flag("--strict", arguments->strict, "Stop at the first malformed narrative");
  command->add_flag("-f,--force", arguments->force, "Replace files of these names");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Without --server and --replies, rules for English rewrite the sentences.\n\nExample:\n  patchioner "
      "dataset traces coco_val_localized_narratives.jsonl --only dataset_coco.json --server "
      "http://localhost:8000/v1 --model llama3 -o traces.json\n\nCtrl-C stops after the replies in flight; "
      "the same command goes on where it stopped.");
  command->callback([arguments, &line] { run_traces(*arguments, line); });
}

}  // namespace patchioner::dataset_command
