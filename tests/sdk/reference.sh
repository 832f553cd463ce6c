#!/usr/bin/env bash
# reference.sh SOURCE FOLDER: the reference of the SDK as `./run api` makes it, into FOLDER, where a warning of doxygen is a failure; exits with
# 77 (skipped) without doxygen.
set -euo pipefail
source=$1
folder=$2
if ! command -v doxygen >/dev/null; then
  echo "skipped: doxygen is not installed"
  exit 77
fi
cd "$source"
mkdir -p "$folder"
(cat docs/Doxyfile && echo "OUTPUT_DIRECTORY = $folder") | doxygen -
pages=$folder/html
for page in classpatchioner_1_1Backbone.html classpatchioner_1_1Weights.html index.html; do
  if [ ! -s "$pages/$page" ]; then
    echo "$pages/$page was not written"
    exit 1
  fi
done
# The comments at the beginning of headers, and the tags of threads, come through the filter.
grep -q "images to a grid of patch features, texts into the same space" "$pages/backbone_8hpp.html"
grep -q "<b>Threads</b>: any; runs without gradients" "$pages/classpatchioner_1_1Backbone.html"
# A declaration without a comment is a warning, and so a failure.
bare=$folder/bare
mkdir -p "$bare"
sed '/^  double width = 0;/s|///<.*||' core/include/patchioner/region.hpp >"$bare/region.hpp"
if (cat docs/Doxyfile && printf '%s\n' "INPUT = $bare" "OUTPUT_DIRECTORY = $bare" "USE_MDFILE_AS_MAINPAGE =") | doxygen - 2>"$bare/said"; then
  echo "doxygen does not mind a declaration without a comment"
  exit 1
fi
grep -q "Member width (variable) of struct patchioner::Box is not documented" "$bare/said"
echo "the reference of the SDK is in $pages"
