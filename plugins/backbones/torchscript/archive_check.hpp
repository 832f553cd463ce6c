// What a file is that was named as a TorchScript archive, before LibTorch sees it.
#pragma once

#include <filesystem>
#include <string>

namespace patchioner {

/// Returns when `file` is a TorchScript archive of a format that this LibTorch reads. Otherwise throws Error:
/// io when it cannot be read, checkpoint with what it is - a state dict and whose, an exported program, an
/// archive of a newer PyTorch - and what to do. `option` is what names the file, for messages.
void require_script_archive(const std::filesystem::path& file, const std::string& option);

/// How a model is exported, for the end of messages.
inline constexpr const char* kHowToExport =
    "in Python torch.jit.trace(model.eval(), images).save(FILE) writes one";

}  // namespace patchioner
