#!/usr/bin/env bash
# Usage: chromium.sh FOLDER. Unpacks Debian's headless Chromium into FOLDER with the libraries that this machine lacks, and
# axe-core from npm, without root: the program is then FOLDER/chromium, and axe-core FOLDER/axe.min.js. Needs apt, dpkg and
# npm; the lists of packages are fetched into the folder, too.
set -euo pipefail
AXE=axe-core@4.10.3
AXE_SHA256=880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb
mkdir -p "$1/root" "$1/apt/lists/partial" "$1/apt/archives/partial" "$1/npm"
folder=$(cd "$1" && pwd)
apt=(-o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
apt-get "${apt[@]}" -qq update
lacking=$(apt-get "${apt[@]}" -s --no-install-recommends install chromium-headless-shell | awk '/^Inst / { print $2 }')
cd "$folder/apt"
apt-get "${apt[@]}" -qq download $lacking fonts-dejavu-core
for package in *.deb; do dpkg -x "$package" "$folder/root"; done
cd "$folder/npm"
npm pack --silent "$AXE" > /dev/null
tar -xzf axe-core-*.tgz package/axe.min.js package/LICENSE
echo "$AXE_SHA256  package/axe.min.js" | sha256sum --check --quiet
mv package/axe.min.js "$folder/axe.min.js"
cd "$folder"
rm -rf apt npm
program=$(find root -type f -name chromium-headless-shell -perm -u+x -path '*lib*' | head -1)
libraries=$(find "$folder/root" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd:)
cat > chromium.new <<PROGRAM
#!/bin/sh
LD_LIBRARY_PATH='$libraries' exec '$folder/$program' "\$@"
PROGRAM
chmod +x chromium.new
[[ $(./chromium.new --version 2>&1 || true) == *Chromium* ]]
mv chromium.new chromium
