// A table with everything in it that the forms of a table show.
#pragma once

#include <string>

#include "results/result_table.hpp"

namespace patchioner {

inline TableCell cell_with(double value, Interval interval, double delta, double p) {
  TableCell cell;
  cell.value = value;
  cell.interval = interval;
  cell.against_baseline = PairedDifference{.delta = delta, .interval = {}, .p_value = p};
  return cell;
}

inline TableCell failed_cell(const std::string& reason, const std::string& log) {
  TableCell cell;
  cell.failure = reason;
  cell.log = log;
  return cell;
}

/// Three rows in two groups, three columns of two data sets; the paper's numbers beside one column.
inline ResultTable small_table() {
  ResultTable table;
  table.name = "backbones";
  table.title = "Backbones & more";
  table.label_names = {"Encoder", "Size_in_%"};
  table.columns = {{.dataset = "boxes", .metric = "map", .title = "mAP", .group = "", .paper = {}},
                   {.dataset = "boxes", .metric = "CIDEr", .title = "", .group = "", .paper = {}},
                   {.dataset = "images",
                    .metric = "seconds",
                    .title = "Time",
                    .group = "Image captions",
                    .scale = 1,
                    .digits = 2,
                    .higher_is_better = false,
                    .paper = {}}};
  table.baseline = "clip";
  table.tolerance = 0.1;

  TableRow clip{.name = "clip",
                .group = "Whole image",
                .labels = {{"Encoder", "CLIP"}, {"Size_in_%", "100"}},
                .is_baseline = true,
                .cells = {}};
  clip.cells.resize(3);
  clip.cells[0].value = 0.13604;
  clip.cells[1] = cell_with(0.191, {0.18, 0.202}, 0, 1);
  clip.cells[1].against_baseline.reset();
  clip.cells[1].paper = 19.4;
  clip.cells[1].outside_tolerance = true;

  TableRow crops{
      .name = "crops", .group = "Regions", .labels = {{"Encoder", "CLIP"}, {"Size_in_%", "50"}}, .cells = {}};
  crops.cells.resize(3);
  crops.cells[0].value = 0.13602;
  crops.cells[1] = cell_with(0.0903, {0.081, 0.0997}, -0.1, 0.001);
  crops.cells[2] = cell_with(3.5, {3.25, 3.75}, -1, 0.0005);

  TableRow talk{.name = "talk2dino",
                .group = "Regions",
                .labels = {{"Encoder", "Talk2DINO β"}, {"Size_in_%", "100"}},
                .cells = {}};
  talk.cells.resize(3);
  talk.cells[0].paper = 21;
  talk.cells[1] = cell_with(0.319, {0.3, 0.338}, 0.128, 0.049);
  talk.cells[1].paper = 31.9;
  talk.cells[2] = failed_cell("the image 7.jpg\ncannot be read", "runs/talk2dino/log.txt");
  table.rows = {clip, crops, talk};
  table.notes = {"METEOR was left out_"};
  return table;
}

}  // namespace patchioner
