// What the cases about regions share: aggregators made for them, and regions read from their files and
// tensors.
#pragma once

#include <memory>
#include <patchioner/aggregator.hpp>
#include <string>
#include <vector>

#include "verify/verify.hpp"

namespace patchioner {

/// The plugin with `options`, and `empty_region: nan` as the reference has it.
std::shared_ptr<Aggregator> aggregator(CaseHost& host, const std::string& name,
                                       const Value::Map& options = {});

/// An image whose pixels are those of the network input, on a square grid: for cases that give boxes in
/// model-input pixels.
ImageGeometry identity_geometry(int64_t grid, int64_t patch_size);

/// The boxes [N,4] without the padding (all -1).
std::vector<Box> real_boxes(const at::Tensor& boxes);

/// A region for each row of boxes [N,4]. One whose four numbers sum below 0 is padding, as AlphaCLIP's
/// reference has it (spec/02 section 6), and keeps its place as a set without a box.
std::vector<Region> box_regions(const at::Tensor& boxes);

/// A JSON list of traces, each a list of {x,y,t}.
std::vector<Region> read_traces(const std::filesystem::path& file);

/// The first of the case's files whose name ends like that.
std::string named_file(const GoldenCase& golden, const std::string& ending);

/// The features [R,D] of regions of one image: the weighted mean of its patches [G,D], times the scale, as
/// the captioner computes them.
at::Tensor region_features(const Aggregator& aggregator, const std::vector<Region>& regions,
                           const ImageGeometry& geometry, const at::Tensor& patches,
                           const at::Tensor& attention = {});

}  // namespace patchioner
