#!/usr/bin/env bash
# Brings 18 real photographs, of woods, mountains, water, leaves, flowers, animals, out of Debian's
# packages of wallpapers, each made small: PNG files whose shorter side is 512 pixels.
#
#   scripts/fetch_photographs.sh [DIR]    DIR is build/photographs if not given
#
# Why small: at the size in which they come, many patches of 8×8 pixels are flat. A pixel is less
# than lens and JPEG resolve, so edges are wider than a patch. Grey levels within a patch have a
# median standard deviation of 3.4 of 255, and less than 2 in a third of all patches; at 512 it is
# 7.5, and one patch in seven. Left out are drawings, gradients, second sizes of one picture, and
# photographs that are mostly sky or out of focus.
#
# The packages (184 MB, of Debian 12) are downloaded by apt into a temporary folder, checked by it,
# and unpacked, never installed: no root needed. Only two things must be there: apt, and Python with
# Pillow (scripts/setup.sh). Safe to repeat: nothing is done where all the pictures are there. DIR
# appears at once and whole, or not at all.
#
# Licences; /usr/share/doc/PACKAGE/copyright in each package has the whole and the names:
#   lomiri-wallpapers-16.04       CC BY 4.0, CC BY-SA 4.0, CC0 1.0
#   mate-backgrounds              GPL 2 or later
#   plasma-workspace-wallpapers   GPL 2 or later
#   lxqt-themes                   LGPL 2.1 or later
set -euo pipefail

short_side=512
packages=(lomiri-wallpapers-16.04 mate-backgrounds plasma-workspace-wallpapers lxqt-themes)
lomiri=lomiri-wallpapers-16.04/usr/share/backgrounds
mate=mate-backgrounds/usr/share/backgrounds/mate/nature
plasma=plasma-workspace-wallpapers/usr/share/wallpapers
lxqt=lxqt-themes/usr/share/lxqt/wallpapers
# What a picture will be called, and which file of which package it is made of.
declare -A sources=(
  [autumn-mountains]=$lomiri/aitzgorri_by_Aitzol_Berasategi.jpg
  [dandelions]=$lomiri/seeding_by_Clements_Engelhardt.jpg
  [dogs]=$lomiri/friends_by_Aitzol_Berasategi.jpg
  [foliage]=$lomiri/Dragonfly_by_Bolly.jpg
  [mountain-path]=$lomiri/picosdeeuropa_by_Aitzol_Berasategi.jpg
  [stream]=$lomiri/life_by_Aitzol_Berasategi.jpg
  [dune]=$mate/Dune.jpg
  [grass]=$mate/GreenMeadow.jpg
  [ladybird]=$mate/LadyBird.jpg
  [leaf]=$mate/Blinds.jpg
  [wet-leaves]=$mate/RainDrops.jpg
  [boats]=$plasma/EveningGlow/contents/images/2560x1600.jpg
  [fallen-leaves]=$plasma/FallenLeaf/contents/images/2560x1600.jpg
  [forest]=$plasma/Path/contents/images/2560x1600.jpg
  [jetty]=$plasma/BytheWater/contents/images/2560x1600.jpg
  [moss]=$plasma/OneStandsOut/contents/images/2560x1600.jpg
  [clouds]=$lxqt/cloud.png
  [meadow-flowers]=$lxqt/flowers.png
)

if [[ $# -gt 1 || ${1:-} == -* ]]; then
  echo "usage: scripts/fetch_photographs.sh [DIR]" >&2
  exit 64
fi
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# As it is meant, even where DIR is a link or ends in a slash: the last step is a rename to it.
destination=$(realpath -m -- "${1:-$scripts/../build/photographs}")

fail() {
  echo "fetch_photographs: $*" >&2
  exit 1
}

all_there() {
  local name
  for name in "${!sources[@]}"; do
    [[ -s $destination/$name.png ]] || return 1
  done
}

is_free() {
  [[ ! -e $destination ]] || { [[ -d $destination ]] && [[ -z $(ls -A "$destination") ]]; }
}

# Prints the first Python that has Pillow. Debian's own has it after scripts/setup.sh; the one on
# the path may be another.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import PIL' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  return 1
}

# Downloads the packages into $work/packages. Where the system's lists are missing or out of date,
# and we may not be root to renew them, a second try is made with lists of our own.
download() {
  # Root's apt would hand the download to a user who may not look into $work, and warn about it.
  local options=(-qq -o APT::Sandbox::User=root -o Acquire::Retries=2)
  cd "$work/packages"
  if apt-get "${options[@]}" download "${packages[@]}" >/dev/null 2>>"$work/errors"; then
    return
  fi
  mkdir -p "$work/lists/partial" "$work/cache"
  options+=(-o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
  apt-get "${options[@]}" update >/dev/null 2>>"$work/errors" || true
  apt-get "${options[@]}" download "${packages[@]}" >/dev/null 2>>"$work/errors"
}

if all_there; then
  echo "fetch_photographs: nothing to do, $destination has all ${#sources[@]} photographs"
  exit 0
fi
is_free || fail "$destination: expected an empty folder or none, found other files; name another"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
  fail "apt-get and dpkg-deb are missing: the photographs are in Debian's packages"
python=$(find_python) || fail "Python has no Pillow: scripts/setup.sh installs it"
parent=$(dirname "$destination")
mkdir -p "$parent" || fail "$parent: cannot create this folder"
# Beside the destination rather than in /tmp, so that the last step is a rename on one file system.
work=$(mktemp -d "$parent/.fetch.XXXXXX") || fail "$parent: cannot write in this folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/packages" "$work/unpacked" "$work/photographs"

echo "fetch_photographs: bringing ${#packages[@]} packages (184 MB)"
(download) ||
  fail "apt-get download failed: $(grep -m 1 '^E:' "$work/errors"); is the network there?"
for package in "${packages[@]}"; do
  dpkg-deb -x "$work/packages/${package}_"*.deb "$work/unpacked/$package" ||
    fail "$package: cannot unpack it; is the disk full?"
done
for name in "${!sources[@]}"; do
  source=$work/unpacked/${sources[$name]}
  [[ -f $source ]] ||
    fail "${sources[$name]}: no such file in this system's package, expected that of Debian 12"
  "$python" "$scripts/shrink_picture.py" "$source" "$work/photographs/$name.png" "$short_side" ||
    fail "${sources[$name]}: cannot be made small"
done
chmod 755 "$work/photographs"
# Fails where another run has been faster; then all is there.
mv -T "$work/photographs" "$destination" 2>/dev/null || all_there ||
  fail "$destination: cannot be given this name"
echo "fetch_photographs: ${#sources[@]} photographs in $destination"
