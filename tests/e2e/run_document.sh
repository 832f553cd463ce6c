# Runs a page of the documentation as it is written, in the current folder: bash run_document.sh PAGE.md
#
# Blocks of `sh` are one shell's commands, in order, the first that fails ends it. A block of another language whose paragraph
# before says `NAME`: is written to that file when its turn comes. Blocks of `text` show what came out so far: each of their
# lines must be in it. Prints everything that came out.
set -eu -o pipefail
page=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v work="$work" '
  /^```/ && !inside {
    inside = 1
    language = substr($0, 4)
    if (language == "sh") next
    if (language == "text") { kind = "text"; file = work "/expected"; next }
    if (name != "") { print "cat > \"" name "\" <<\"END OF " name "\""; kind = "file"; next }
    kind = "skipped"
    next
  }
  /^```/ { if (kind == "file") print "END OF " name; inside = 0; kind = ""; name = ""; next }
  inside && kind == "text" { print > file; next }
  inside && kind == "skipped" { next }
  inside { print; next }
  /^`[^`]*`:$/ { name = substr($0, 2, length($0) - 3); next }
  NF { name = "" }
' "$page" > "$work/commands"
touch "$work/expected"

bash -eu -o pipefail "$work/commands" 2>&1 | tee "$work/out" || { echo "run_document: a command of $page failed"; exit 1; }
missing=0
while IFS= read -r line; do
  grep -qF -- "$line" "$work/out" || { echo "run_document: $page shows a line that did not come out: $line"; missing=1; }
done < "$work/expected"
exit $missing
