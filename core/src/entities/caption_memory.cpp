#include "entities/caption_memory.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/state_dict.hpp"
#include "memory/bank_texts.hpp"
#include "memory/zero_rows.hpp"

namespace patchioner {
namespace {

constexpr const char* kCaptions = "memory_captions.json";
constexpr const char* kSceneGraphs = "memory_scene_graphs.json";
constexpr const char* kEntityNames = "entity_names.txt";
constexpr const char* kEntityEmbeddings = "entity_embeddings.safetensors";
constexpr const char* kTensor = "embeddings";

/// CLIP's scale of 100, by which MeaCap multiplies cosines before its softmax (spec/04 section 11.2); the
/// order of the captions does not depend on it.
constexpr double kTemperature = 0.01;

std::filesystem::path embeddings_in(const std::filesystem::path& folder) {
  for (const char* name : {"memory_clip_embeddings.pt", "memory_clip_embeddings.safetensors"}) {
    if (std::filesystem::exists(folder / name)) {
      return folder / name;
    }
  }
  throw Error(ErrorKind::io,
              "{}: the memory has no memory_clip_embeddings.pt, nor memory_clip_embeddings.safetensors",
              folder.string());
}

/// The tensor `embeddings`, or the only one, as torch.save writes it without a name.
at::Tensor embeddings_of(const StateDict& file) {
  const std::vector<std::string> names = file.names();
  if (!file.contains(kTensor) && names.size() != 1) {
    refuse_checkpoint(file, "a memory's embeddings, one tensor with a row a caption, are wanted here");
  }
  return file.tensor(file.contains(kTensor) ? kTensor : names.front());
}

}  // namespace

std::shared_ptr<const CaptionMemory> CaptionMemory::open(const std::filesystem::path& path) {
  std::shared_ptr<CaptionMemory> memory(new CaptionMemory());
  if (std::filesystem::is_directory(path)) {
    memory->read_folder(path);
  } else {
    memory->bank_ = MemoryBank::open(path);
  }
  memory->leave_out_empty_captions(path);
  return memory;
}

void CaptionMemory::leave_out_empty_captions(const std::filesystem::path& path) {
  const std::vector<std::string>& all = bank_->texts();
  if (std::find(all.begin(), all.end(), std::string()) == all.end()) {
    return;
  }
  std::vector<bool> told;
  std::vector<std::string> captions;
  std::string graphs;
  std::vector<size_t> graph_ends;
  for (size_t row = 0; row < all.size(); ++row) {
    told.push_back(!all[row].empty());
    if (told.back()) {
      captions.push_back(all[row]);
      if (has_scene_graphs()) {
        graphs += scene_graph(static_cast<int64_t>(row));
        graph_ends.push_back(graphs.size());
      }
    }
  }
  if (captions.empty()) {
    throw Error(ErrorKind::data, "{}: none of the memory's {} captions has any text", path.string(),
                all.size());
  }
  bank_ = MemoryBank::from_memory(select_rows(bank_->embeddings(), told), std::move(captions),
                                  bank_->metadata(), path.string());
  graphs_ = std::move(graphs);
  graph_ends_ = std::move(graph_ends);
}

void CaptionMemory::read_folder(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / kCaptions)) {
    throw Error(ErrorKind::io,
                "{}: the folder has no {}; a memory is such a folder, or a bank made by `memory build`",
                folder.string(), kCaptions);
  }
  std::vector<std::string> captions = read_bank_texts(folder / kCaptions);
  const auto count = captions.size();
  const std::filesystem::path embeddings_path = embeddings_in(folder);
  const StateDict file = StateDict::open(embeddings_path, /*root=*/"");
  const at::Tensor embeddings = embeddings_of(file);  // [N,D]
  if (embeddings.dim() == 2 && embeddings.size(0) != static_cast<int64_t>(count)) {
    throw Error(ErrorKind::data,
                "{}: there are {} captions, but {} has {} rows of embeddings; they are not of one memory",
                (folder / kCaptions).string(), count, embeddings_path.filename().string(),
                embeddings.size(0));
  }
  bank_ = MemoryBank::from_memory(embeddings, std::move(captions), file.metadata(), embeddings_path.string());
  if (std::filesystem::exists(folder / kSceneGraphs)) {
    read_scene_graphs(folder / kSceneGraphs, bank_->dropped_rows() == 0
                                                 ? std::vector<bool>(count, true)
                                                 : filled_rows(embeddings.to(at::kFloat).contiguous()));
  }
  if (std::filesystem::exists(folder / kEntityNames) || std::filesystem::exists(folder / kEntityEmbeddings)) {
    entity_names_ = folder / kEntityNames;  // one without the other is refused where they are read
    entity_embeddings_ = folder / kEntityEmbeddings;
  }
}

void CaptionMemory::read_scene_graphs(const std::filesystem::path& path, const std::vector<bool>& wanted) {
  size_t count = 0;
  graphs_.reserve(std::filesystem::file_size(path));
  graph_ends_.reserve(wanted.size());
  visit_bank_texts(path, [&](const std::string& graph) {
    if (count < wanted.size() && wanted[count]) {
      graphs_ += graph;
      graph_ends_.push_back(graphs_.size());
    }
    ++count;
    return true;
  });
  if (count != wanted.size()) {
    throw Error(ErrorKind::data,
                "{}: there are {} scene graphs, but {} has {} captions; wanted is one a caption, in order",
                path.string(), count, kCaptions, wanted.size());
  }
}

std::string CaptionMemory::scene_graph(int64_t row) const {
  const auto place = static_cast<size_t>(row);
  const size_t begin = place == 0 ? 0 : graph_ends_[place - 1];
  return graphs_.substr(begin, graph_ends_[place] - begin);
}

std::shared_ptr<const CaptionMemory> CaptionMemory::to(at::Device device) const {
  std::shared_ptr<CaptionMemory> moved(new CaptionMemory(*this));
  moved->bank_ = bank_->to(device);
  return moved;
}

std::string CaptionMemory::text_fingerprint() const {
  const auto recorded = bank_->metadata().find("text_fingerprint");
  return recorded == bank_->metadata().end() ? std::string() : recorded->second;
}

std::vector<std::vector<MemoryMatch>> CaptionMemory::nearest(const at::Tensor& features,
                                                             int64_t count) const {
  const at::Tensor lengths = features.to(at::kFloat).norm(2, -1);  // [R]
  const at::Tensor rows =
      at::isfinite(lengths).logical_and(lengths > 0).nonzero().squeeze(1);  // [r] those with a direction
  std::vector<std::vector<MemoryMatch>> matches(static_cast<size_t>(features.size(0)));
  if (rows.size(0) == 0) {
    return matches;
  }
  std::vector<std::vector<MemoryMatch>> found =
      bank_->nearest(features.index_select(0, rows), count, kTemperature);
  const at::Tensor places = rows.to(at::kCPU);
  for (size_t i = 0; i < found.size(); ++i) {
    matches[static_cast<size_t>(places.const_data_ptr<int64_t>()[i])] = std::move(found[i]);
  }
  return matches;
}

}  // namespace patchioner
