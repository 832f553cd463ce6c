#!/usr/bin/env bash
# package_check.sh BUILD_FOLDER LIBTORCH: makes the Debian package, unpacks it, and captions with it. LibTorch, nearly all of its size, is left out
# and named to the program instead. Skipped (77) where Debian's tools are missing.
set -euo pipefail
if ! command -v dpkg-shlibdeps >/dev/null || ! command -v file >/dev/null; then
  echo "dpkg-shlibdeps or file is not there (Debian packages dpkg-dev, file)"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$1" && cpack -B "$folder" -D "CPACK_COMPONENTS_ALL=program;sdk" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip)
package=$(echo "$folder"/patchioner_*.deb)
dpkg --info "$package" | grep 'Depends: .*libopencv-core'
dpkg -x "$package" "$folder/root"
test -f "$folder/root/usr/include/patchioner/plugin.hpp"
test -f "$folder/root/usr/lib/cmake/Patchioner/PatchionerConfig.cmake"
test -f "$folder/root/usr/share/doc/patchioner/copyright"
test -f "$folder/root/usr/share/patchioner/examples/CMakeLists.txt"
LIBTORCH=$2 "$folder/root/usr/bin/patchioner" caption "$folder/root/usr/share/patchioner/models/emoji/test/1.jpg" | grep -P '\timage\t\w'
