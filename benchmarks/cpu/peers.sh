#!/bin/bash
# The pinned peers of run.py, built from the registries: `bash benchmarks/cpu/peers.sh FOLDER`.
#
# llama.cpp is the tree inside the source package of llama-cpp-python 0.3.36 (PyPI), once with all that this CPU has and once
# for AVX2; candle 0.11.1 (crates.io) likewise. PyTorch and transformers are those of reference/requirements.txt, in a virtual
# environment of your own. Needs a C++ compiler, Python 3.11 and Rust; about 1 GB and, on two cores, half an hour.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: peers.sh FOLDER}"
peers=$(cd "$1" && pwd)
release=0.3.36

python3 -m venv "$peers/venv"
export PATH="$peers/venv/bin:$PATH"
pip install --quiet cmake==4.4.5 ninja==1.13.2
source="$peers/llama_cpp_python-$release"
if [ ! -d "$source" ]; then
    pip download --quiet --no-deps --no-binary :all: --dest "$peers" "llama-cpp-python==$release"
    tar -xzf "$source.tar.gz" -C "$peers"
fi

flags=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DGGML_OPENMP=ON -DLLAMA_BUILD_TESTS=OFF
    -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=ON -DBUILD_SHARED_LIBS=ON)
avx2=(-DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON)
build() {
    cmake -S "$source/vendor/llama.cpp" -B "$peers/$1" "${flags[@]}" "${@:2}"
    cmake --build "$peers/$1" --target llama-bench llama-server llama-mtmd-cli
}
build native -DGGML_NATIVE=ON
build avx2 "${avx2[@]}"

mkdir -p "$peers/candle"
candle() {
    RUSTFLAGS="$2" CARGO_TARGET_DIR="$peers/candle/target" cargo build --release --locked --manifest-path "$here/candle/Cargo.toml"
    cp "$peers/candle/target/release/candle-peer" "$peers/candle/$1"
}
candle native "-C target-cpu=native"
candle avx2 "-C target-feature=+avx2,+fma,+f16c,+bmi2"

cat > "$peers/versions.txt" <<END
llama.cpp of llama-cpp-python $release ($("$peers/native/bin/llama-server" --version 2>&1 | grep -o 'commit [0-9a-f]*'), $(c++ --version | head -1), OpenMP; native: GGML_NATIVE, avx2: AVX2, FMA, F16C and BMI2)
candle 0.11.1 ($(rustc --version); native: target-cpu=native, avx2: AVX2, FMA, F16C and BMI2)
END
cat "$peers/versions.txt"
