# Installs what a script needs and does not find, on Debian 12. Sourced by tests/run, tests/fuzz/run and benches/*.sh.
# Nothing is installed that is there already; without rights or without apt the missing package is named and the script ends.

# need_package PACKAGE CHECK...   installs PACKAGE when the command CHECK fails
need_package() {
  local package=$1 sudo=
  shift
  if "$@" >/dev/null 2>&1; then return 0; fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "$package is missing and this user may not install it; as root: apt-get install $package" >&2
      exit 1
    fi
    sudo=sudo
  fi
  if ! command -v apt-get >/dev/null; then
    echo "$package is missing and there is no apt-get here; install what provides: $*" >&2
    exit 1
  fi
  echo "installing $package"
  if [ -z "${PACKAGES_UPDATED:-}" ]; then
    $sudo apt-get update -qq || true
    PACKAGES_UPDATED=yes
  fi
  if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null; then
    echo "$package could not be installed; see the messages of apt-get above" >&2
    exit 1
  fi
  if ! "$@" >/dev/null 2>&1; then
    echo "$package was installed, but this still fails: $*" >&2
    exit 1
  fi
}

# need_command COMMAND PACKAGE
need_command() {
  need_package "$2" command -v "$1"
}

# need_server COMMAND PACKAGE   for a package that would start a service; on this machine it is wanted by the tests only
need_server() {
  local policy=/usr/sbin/policy-rc.d sudo= status=0
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  # Nothing to install, nothing to prevent, or nothing that can be done: need_command says what is wrong.
  if command -v "$1" >/dev/null || [ -e "$policy" ] ||
    ! command -v apt-get >/dev/null || ! command -v "${sudo:-sh}" >/dev/null; then
    need_command "$1" "$2"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
  $sudo chmod 755 "$policy"
  # A shell of its own: a failure ends that one, and the file goes in any case.
  (need_command "$1" "$2") || status=$?
  $sudo rm -f "$policy"
  if [ "$status" -ne 0 ]; then exit "$status"; fi
}

# need_saml_libraries   what the second verifier of SAML messages is built over: libxmlsec1, and libclang, which reads its headers
need_saml_libraries() {
  need_command pkg-config pkg-config
  need_package libxmlsec1-dev pkg-config --exists xmlsec1-openssl
  need_package libxml2-dev pkg-config --exists libxml-2.0
  need_package libssl-dev pkg-config --exists libssl
  need_package libclang-dev sh -c 'ls /usr/lib/llvm-*/lib/libclang*.so*'
}

# need_rust   cargo and a compiler new enough for the manifest; a toolchain is nothing that a test installs
need_rust() {
  local wanted have
  if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then source "$HOME/.cargo/env"; fi
  if ! command -v cargo >/dev/null; then
    echo "cargo was not found; install Rust with rustup (https://rustup.rs)" >&2
    exit 1
  fi
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$1/Cargo.toml")
  have=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
    echo "rustc $have is too old; the manifest asks for $wanted (rustup update)" >&2
    exit 1
  fi
}
