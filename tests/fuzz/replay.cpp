// Runs a target without a fuzzer: on its own seeds and on every file of the folders named, or, with
// --write, writes the seeds into a folder for a fuzzer to begin with.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/fuzz/target.hpp"

namespace {

namespace fs = std::filesystem;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void write_seeds(const fs::path& folder) {
  fs::create_directories(folder);
  std::size_t number = 0;
  for (const std::string& seed : espalier::fuzz::seeds()) {
    std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "--write") {
    write_seeds(arguments[1]);
    return 0;
  }
  std::size_t n_seeds = 0;
  for (const std::string& seed : espalier::fuzz::seeds()) {
    run(seed);
    ++n_seeds;
  }
  std::size_t n_files = 0;
  for (const std::string& folder : arguments) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      std::cout << file.filename().string() << std::endl;  // seen even if it crashes
      std::ifstream stream(file, std::ios::binary);
      run(std::string(std::istreambuf_iterator<char>(stream), {}));
      ++n_files;
    }
  }
  std::cout << n_seeds << " seeds and " << n_files << " files\n";
  return n_seeds == 0 ? 1 : 0;
}
