// Rewriting by a language model behind an OpenAI-compatible chat server (llama.cpp, vLLM, Ollama and others).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "data/sentence_rewriter.hpp"

namespace patchioner {

struct ChatOptions {
  std::string url;    ///< up to the version: "http://localhost:8000/v1"
  std::string model;  ///< as the server calls it
  std::string prompt_template;
  /// Replies by the digest of model and prompt, a JSON line each; what is there is not asked again. Empty:
  /// none is kept.
  std::filesystem::path cache;
  std::string key;                             ///< sent as a bearer token; empty: none
  int64_t jobs = 4;                            ///< requests at a time
  int64_t attempts = 6;                        ///< of one request, before it is given up
  int64_t timeout_seconds = 120;               ///< of one reply
  std::chrono::milliseconds first_wait{1000};  ///< before the second attempt; doubled for each further one
  double temperature = 0;
};

/// Asks for each sentence, shows progress, and stops politely at an interrupt with the replies so far. A
/// server that cannot be reached, answers 429 or 5xx or breaks off is asked again, after the pause that it
/// names (Retry-After) or a doubling one. Throws Error: usage for an address that is none; io when the
/// attempts are used up or the server refuses (its words are in the message); data for an answer that is no
/// chat completion. Replies until then are in the cache.
std::unique_ptr<SentenceRewriter> chat_rewriter(ChatOptions options);

}  // namespace patchioner
