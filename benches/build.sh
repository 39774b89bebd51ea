# Builds what benches/*.sh measure with, in release: the product as it ships, and the kit. Sourced with $root set.
# Sets $vestibule (the binary) and $kit (the folder with the programs of benches/kit).
source "$root/tests/support/packages.sh"
need_command cc gcc
need_saml_libraries
need_command python3 python3
need_command taskset util-linux
need_command wrk wrk
need_rust "$root"
if [ "$(nproc)" -lt 2 ]; then
  echo "a measurement needs two CPUs: one for the server, one for the load" >&2
  exit 1
fi
build=${CARGO_TARGET_DIR:-$root/target}
case $build in /*) ;; *) build=$root/$build ;; esac
export CARGO_TARGET_DIR=$build
cargo build --release --manifest-path "$root/Cargo.toml"
# The product's own versions of everything.
cp "$root/Cargo.lock" "$root/benches/kit/Cargo.lock"
cargo build --release --manifest-path "$root/benches/kit/Cargo.toml"
vestibule=$build/release/vestibule
kit=$build/release
