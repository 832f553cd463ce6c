// What the subcommands of `checkpoint` share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// "86.6 M", for numbers of values and of bytes.
std::string short_number(uint64_t number);

/// "345.1 MB".
std::string byte_text(uint64_t bytes);

/// Bytes of all files of a checkpoint.
uint64_t size_on_disk(const StateDict& dict);

/// Adds `checkpoint convert`.
void add_checkpoint_convert(CLI::App& checkpoint);

}  // namespace patchioner
