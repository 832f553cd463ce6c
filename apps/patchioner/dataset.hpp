// What the subcommands of `dataset` share.
#pragma once

#include "commands.hpp"
#include "data/dataset.hpp"

namespace patchioner::dataset_command {

/// Which data set, as the command line says it.
struct DatasetArguments {
  std::vector<std::string> files;
  std::string format = "auto";
  std::string references;
  std::string split = "test";
  std::string image_data;
  std::string splits;
  bool vg_coco = false;
  std::vector<std::string> images;
  std::string names = "auto";
  bool strict = false;

  DatasetOptions options() const;
};

void add_dataset_options(CLI::App& command, DatasetArguments& arguments);

void add_traces(CLI::App& dataset, CommandLine& line);

}  // namespace patchioner::dataset_command
