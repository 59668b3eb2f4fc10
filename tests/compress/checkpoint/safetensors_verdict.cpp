// Reads paths from standard input, one a line, and prints for each "ok" or the reason of refusal.
#include <iostream>
#include <string>

#include "compress/checkpoint/safetensors.hpp"
#include "espalier/error.hpp"

int main() {
  for (std::string path; std::getline(std::cin, path);) {
    try {
      const auto file = espalier::checkpoint::SafetensorsFile::open(path);
      std::cout << "ok " << file.tensors().size() << '\n';
    } catch (const espalier::Error& error) {
      std::cout << error.what() << '\n';
    }
  }
}
