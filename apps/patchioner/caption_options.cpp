// The options of `caption` and their help.
#include "caption.hpp"
#include "commands.hpp"

namespace patchioner::caption {
namespace {

constexpr const char* kFooter =
    R"(Words after the options are sorted by what they look like: a name ending in .yaml or .yml, or one of the
program's configs such as experiment/emoji, is the config, key=value (also +key=value, ++key=value
and ~key) an override of it unless a file has that name, everything else images. Without a config, the small emoji model that comes with the program is used.

Regions apply to every image and are captioned in the order in which they are given, after those of the image's own record; without any, the whole
image is. Boxes, points and masks are in pixels of the image as it is shown (after its EXIF orientation, unless --exif ignore).

A line of --json and of --output holds an image with its regions; the same form is read from standard input and by --regions:
  {"image": "cat.jpg", "id": 7, "regions": [{"box": [x,y,w,h], "id": "tail"}, {"boxes": [[x,y,w,h], ...]}, {"trace": [[x,y], ...]},
   {"mask": "cat.png"}, {"mask": {"size": [h,w], "counts": ...}}, {"patch": [row,column]}, {"point": [x,y]}, {"image": true}]}

An image or region that fails is a record with "error" (in text, a fourth column); the others are captioned all the same.
Exit code: 0 all captioned, 1 something failed or was interrupted, 2 wrong usage or config.

Examples:
  patchioner caption photo.jpg
  patchioner caption photo.jpg --box 30,40,200,150 --point 120,80 --explain
  patchioner caption my.yaml photos/ --page captions.html --annotate pictures/
  patchioner caption my.yaml 'shots/*.png' gap.temperature=0.02 --trace "0.1,0.2;0.15,0.25;0.2,0.3"
  patchioner caption my.yaml photos/ --output captions.jsonl --resume
  echo '{"image": "photo.jpg", "regions": [{"patch": [3, 4]}]}' | patchioner caption - --json)";

}  // namespace
}  // namespace patchioner::caption

namespace patchioner {

void add_caption_command(CommandLine& line) {
  using caption::Arguments;
  CLI::App* command = line.app.add_subcommand("caption", "Caption images and regions of them");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("IMAGES", arguments->words,
                      "Files, folders (with all below them, sorted), patterns in quotes, '-' for JSON lines "
                      "on standard input; CONFIG.yaml and "
                      "key=value overrides may stand among them");

  const std::string model = "Model";
  command
      ->add_option("-c,--config", arguments->config,
                   "Config of the run (default: the emoji model that comes along)")
      ->type_name("FILE")
      ->group(model);
  command
      ->add_option("--set", arguments->overrides,
                   "Override a value of the config: key=value; may be given several times")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE")
      ->group(model);
  command
      ->add_option("--batch", arguments->batch,
                   "Images that pass the backbone together (default: the config's, 8)")
      ->check(CLI::Range(1, 65536))
      ->group(model);
  command
      ->add_option("--threads", arguments->threads,
                   "Processor threads, 0 for all cores (default: the config's, 0)")
      ->check(CLI::Range(0, 4096))
      ->group(model);
  command
      ->add_option("--exif", arguments->exif,
                   "Turn images as their camera noted, or take them as they are stored")
      ->check(CLI::IsMember({"apply", "ignore"}))
      ->capture_default_str()
      ->group(model);

  const std::string regions = "Regions, each as often as wanted";
  auto texts = std::make_shared<std::map<std::string, std::vector<std::string>>>();
  const auto add_region = [&](const std::string& name, const std::string& form, const std::string& help) {
    command->add_option("--" + name, (*texts)[name], help)
        ->type_name(form)
        ->allow_extra_args(false)
        ->group(regions);
  };
  add_region("box", "X,Y,W,H", "A box in pixels: top left corner, width, height");
  add_region("boxes", "\"X,Y,W,H;...\"", "Several boxes, one caption");
  add_region("trace", "\"X,Y;...\"", "A mouse trace, from 0,0 top left to 1,1 bottom right");
  add_region("point", "X,Y", "A point in pixels");
  add_region("patch", "ROW,COLUMN", "A cell of the patch grid, from 0");
  add_region("mask", "FILE", "A file of the image's size: alpha > 0, without alpha any channel > 0");
  const std::string whole_image = "The whole image, beside other regions";
  command->add_flag("--image", whole_image)->group(regions);
  command
      ->add_option("--regions", arguments->regions_file,
                   "A JSON file: regions for every image, or images with their regions")
      ->type_name("FILE")
      ->group(regions);

  const std::string output = "Output";
  command->add_flag("--json", arguments->json, "JSON lines instead of text on standard output")
      ->group(output);
  command
      ->add_flag("--explain", arguments->explain,
                 "Add patch weights, the nearest memory texts, token probabilities, and what the decoder "
                 "looked up and read: entities, memory captions, concepts, prompt")
      ->group(output);
  command
      ->add_option("--memory-texts", arguments->memory_texts,
                   "How many texts of the gap's memory --explain names")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str()
      ->group(output);
  command
      ->add_option("-o,--output", arguments->output,
                   "Append JSON lines to this file instead of standard output")
      ->type_name("FILE")
      ->group(output);
  command
      ->add_flag("--resume", arguments->resume,
                 "Go on with an --output that is there already: what it has is not done again")
      ->group(output);
  command->add_option("--page", arguments->page, "Write one HTML page with regions, heat maps and captions")
      ->type_name("FILE")
      ->group(output);
  command
      ->add_option("--annotate", arguments->annotate,
                   "Write a PNG an image into this folder, regions and captions drawn")
      ->type_name("FOLDER")
      ->group(output);
  command->add_option("--coco", arguments->coco, "Write captions of images and boxes as a COCO result file")
      ->type_name("FILE")
      ->group(output);
  command
      ->add_flag("-q,--quiet", arguments->quiet,
                 "No progress and no remarks on standard error, only warnings")
      ->group(output);
  command->footer(caption::kFooter);

  command->callback([arguments, texts, command, &line] {
    std::map<std::string, size_t> taken;
    for (const CLI::Option* option : command->parse_order()) {
      const std::string name = option->get_single_name();
      if (const auto found = texts->find(name); found != texts->end()) {
        arguments->regions.emplace_back(name, found->second[taken[name]++]);
      } else if (name == "image") {
        arguments->regions.emplace_back(name, "");
      }
    }
    caption::run(*arguments, line);
  });
}

}  // namespace patchioner
