#!/usr/bin/env bash
# Usage: picard.sh FOLDER. Unpacks Debian's Picard into FOLDER, and Java where there is none, without root: the program is
# then FOLDER/picard. Needs apt and dpkg; the lists of packages are fetched into the folder, too.
set -euo pipefail
mkdir -p "$1/root" "$1/apt/lists/partial" "$1/apt/archives/partial"
folder=$(cd "$1" && pwd)
apt=(-o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
apt-get "${apt[@]}" -qq update
wanted=(picard-tools)
command -v java > "$folder/java" || wanted+=(openjdk-17-jre-headless)
only=(--recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
packages=$(apt-cache "${apt[@]}" depends "${only[@]}" picard-tools | grep -E '^lib.*-java$' | sort -u)
cd "$folder/apt"
apt-get "${apt[@]}" -qq download $packages "${wanted[@]}"
for package in *.deb; do dpkg -x "$package" "$folder/root"; done
cd "$folder"
if [ ! -s java ]; then
  # The configuration of Java is linked to below /etc.
  find root/usr/lib/jvm -lname '/etc/*' | while read -r link; do ln -sfn "$folder/root$(readlink "$link")" "$link"; done
  find "$folder"/root/usr/lib/jvm/*/bin/java | head -1 > java
fi
rm -rf apt
jars=$(find "$folder/root/usr/share/java" -name '*.jar' | grep -vE '/(slf4j|jcl-over|log4j-to)' | sort | paste -sd:)
cat > picard.new <<PROGRAM
#!/bin/sh
exec $(cat java) -Xmx512m -cp '$jars' picard.cmdline.PicardCommandLine "\$@"
PROGRAM
chmod +x picard.new
[[ $(./picard.new ValidateSamFile --version 2>&1 || true) == *Version:* ]]
mv picard.new picard
