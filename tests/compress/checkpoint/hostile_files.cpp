#include "tests/compress/checkpoint/hostile_files.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/support/safetensors_builder.hpp"

namespace espalier::testing {
namespace {

const std::string kSixteen(16, '\1');

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t time = 0; time < times; ++time) all += text;
  return all;
}

// {"a": ...} with one tensor of the given header fields.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

HostileFile good(std::string name, std::string bytes) {
  return {std::move(name), std::move(bytes), true, ""};
}

HostileFile bad(std::string name, std::string reason, std::string bytes) {
  return {std::move(name), std::move(bytes), false, std::move(reason)};
}

std::string length_only(std::uint64_t length) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((length >> shift) & 0xff);
  return bytes + "{}";
}

void add_good(std::vector<HostileFile>& files) {
  const std::string valid = one(R"("F32")", "[2,2]", "[0,16]");
  files.push_back(good("minimal", safetensors_frame(valid, kSixteen)));
  files.push_back(good("no tensors", safetensors_frame("{}", "")));
  files.push_back(good("padded", safetensors_frame(" \n" + valid + repeated(" ", 300), kSixteen)));
  files.push_back(good("metadata", safetensors_frame(R"({"__metadata__":{"format":"pt"}})", "")));
  files.push_back(good("null metadata", safetensors_frame(R"({"__metadata__":null})", "")));
  files.push_back(
      good("scalar and empty tensor",
           safetensors_frame(R"({"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                             R"("z":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]}})",
                             "abcd")));
  files.push_back(good(
      "unknown fields",
      safetensors_frame(
          R"({"a":{"x":[{"y":[1.5,-2,null,true,"z"]}],"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
          "a")));
  files.push_back(good(
      "rank 1001",
      safetensors_frame(one(R"("F32")", "[4" + repeated(",1", 1000) + "]", "[0,16]"), kSixteen)));
  files.push_back(
      good("name of 100,000 bytes",
           safetensors_frame(R"({")" + repeated("n", 100'000) +
                                 R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                             "a")));
  files.push_back(
      good("name of digits and escapes",
           safetensors_frame(R"({"\\\")" + std::string(500, '1') +
                                 R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                             "a")));
  files.push_back(good("half-byte elements that fill a byte",
                       safetensors_frame(one(R"("F4")", "[2]", "[0,1]"), "a")));
  files.push_back(
      good("zero before a large dimension",
           safetensors_frame(one(R"("F32")", "[0,9223372036854775807,4]", "[0,0]"), "")));
}

void add_bad_frames(std::vector<HostileFile>& files) {
  files.push_back(bad("empty file", "too few", ""));
  files.push_back(bad("seven bytes", "too few", "1234567"));
  files.push_back(bad("length 0", "not valid JSON", length_only(0)));
  files.push_back(bad("8 + length wraps", "over the limit", length_only(UINT64_MAX)));
  files.push_back(bad("8 + length wraps to 0", "over the limit", length_only(UINT64_MAX - 7)));
  files.push_back(bad("length past the end", "past the end", length_only(3)));
  files.push_back(bad("length over 100 MB", "over the limit", length_only(100'000'001)));
  files.push_back(bad("LFS pointer", "Git LFS pointer", "version https://git-lfs.github.com/spec"));
  files.push_back(bad("web page", "web page", "<!DOCTYPE html><html></html>"));
}

void add_bad_json(std::vector<HostileFile>& files) {
  const auto add = [&files](std::string name, std::string reason, const std::string& header) {
    files.push_back(bad(std::move(name), std::move(reason), safetensors_frame(header, kSixteen)));
  };
  const std::string valid = one(R"("F32")", "[4]", "[0,16]");
  const std::string entry = valid.substr(1, valid.size() - 2);
  add("not JSON", "not valid JSON", "\xff\xfe\xfd");
  add("invalid UTF-8 in a name", "not valid JSON",
      R"({"a)"
      "\xc3\x28" +
          valid.substr(3));
  add("surrogate as UTF-8", "not valid JSON",
      R"({"a)"
      "\xed\xa0\x80" +
          valid.substr(3));
  add("lone surrogate escape", "not valid JSON", R"({"\ud800)" + valid.substr(3));
  add("byte order mark", "byte order mark", "\xef\xbb\xbf" + valid);
  add("NUL after the object", "NUL byte", valid + std::string(1, '\0') + "hidden");
  add("text after the object", "not valid JSON", valid + "{}");
  add("comment", "not valid JSON", "/**/" + valid);
  add("trailing comma", "not valid JSON", "{" + entry + ",}");
  add("array", "an array, not an object", "[]");
  add("number", "a number, not an object", "5");
  add("50,000 nested arrays", "an array, not an object", repeated("[", 50'000));
  add("nested in an unknown field", "deeper",
      R"({"a":{"x":)" + repeated("[", 50'000) + repeated("]", 50'000) + "}}");
  add("NaN as a dimension", "not valid JSON", one(R"("F32")", "[NaN]", "[0,16]"));
  add("tensor is a number", "is a number, not an object", R"({"a":5})");
  add("tensor is null", "is null, not an object", R"({"a":null})");
  add("tensor is an array", "is an array, not an object", R"({"a":["F32",[4],[0,16]]})");
  const std::string empty = R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  add("same empty tensor twice", "twice", "{" + empty + "," + empty + "}");
  add("same tensor twice", "twice", "{" + entry + "," + entry + "}");
  add("same name spelled with an escape", "twice",
      "{" + entry + R"(,"\u0061)" + entry.substr(2) + "}");
  add("same field twice", "twice",
      R"({"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}})");
  add("metadata twice", "twice", R"({"__metadata__":{},"__metadata__":{},)" + entry + "}");
  add("metadata key twice", "twice", R"({"__metadata__":{"k":"1","k":"2"},)" + entry + "}");
  add("metadata value is a number", "__metadata__ is a number",
      R"({"__metadata__":{"k":1},)" + entry + "}");
  add("metadata is a string", "__metadata__ is a string", R"({"__metadata__":"k",)" + entry + "}");
  add("metadata is nested", "__metadata__ is an object",
      R"({"__metadata__":{"k":{}},)" + entry + "}");
  add("no dtype", "no dtype", R"({"a":{"shape":[4],"data_offsets":[0,16]}})");
  add("no shape", "no shape", R"({"a":{"dtype":"F32","data_offsets":[0,16]}})");
  add("no offsets", "no data_offsets", R"({"a":{"dtype":"F32","shape":[4]}})");
  add("unknown dtype", "unknown type 'F31'", one(R"("F31")", "[4]", "[0,16]"));
  add("dtype is a number", "dtype of tensor 'a' is a number", one("32", "[4]", "[0,16]"));
  add("dtype is an object", "dtype of tensor 'a' is an object",
      one(R"({"F32":null})", "[4]", "[0,16]"));
  add("shape is a number", "shape of tensor 'a' is a number", one(R"("F32")", "4", "[0,16]"));
  add("negative dimension", "negative number", one(R"("F32")", "[-1]", "[0,16]"));
  add("minus zero", "negative number", one(R"("F32")", "[-0]", "[0,0]"));
  add("fraction", "no unsigned 64-bit integer", one(R"("F32")", "[4.0]", "[0,16]"));
  add("integer of 65 bits", "no unsigned 64-bit integer",
      one(R"("F32")", "[18446744073709551616]", "[0,16]"));
  add("number of a million digits", "digits",
      one(R"("F32")", "[" + std::string(1'000'000, '1') + "]", "[0,16]"));
  add("dimension is a list", "holds an array", one(R"("F32")", "[[4]]", "[0,16]"));
  add("negative offset", "negative number", one(R"("F32")", "[4]", "[-16,0]"));
  add("one offset", "fewer than two", one(R"("F32")", "[4]", "[16]"));
  add("three offsets", "more than two", one(R"("F32")", "[4]", "[0,16,16]"));
}

void add_bad_layouts(std::vector<HostileFile>& files) {
  const auto add = [&files](std::string name, std::string reason, const std::string& header) {
    files.push_back(bad(std::move(name), std::move(reason), safetensors_frame(header, kSixteen)));
  };
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":)") + first +
           R"(},"b":{"dtype":"U8","shape":[8],"data_offsets":)" + second + "}}";
  };
  add("offsets reversed", "begins at 16, expected 0", one(R"("F32")", "[4]", "[16,0]"));
  add("offsets past the end", "truncated", one(R"("F32")", "[8]", "[0,32]"));
  add("overlap", "begins at 4, expected 8", two("[0,8]", "[4,12]"));
  add("hole", "begins at 9, expected 8", two("[0,8]", "[9,17]"));
  add("hole at the front", "begins at 8, expected 0", two("[8,16]", "[16,24]"));
  add("trailing bytes", "bytes added", one(R"("F32")", "[3]", "[0,12]"));
  add("offsets near 2^63", "expected 0",
      one(R"("F32")", "[4]", "[9223372036854775792,9223372036854775808]"));
  add("shape larger than offsets", "its shape wants 20", one(R"("F32")", "[5]", "[0,16]"));
  add("product wraps to 0", "overflows", one(R"("F32")", "[4294967296,4294967296]", "[0,0]"));
  add("product wraps before a zero", "overflows",
      one(R"("F32")", "[4294967296,4294967296,0]", "[0,0]"));
  add("bits wrap", "overflows", one(R"("F32")", "[576460752303423492]", "[0,16]"));
  add("half a byte", "whole byte", one(R"("F4")", "[31]", "[0,16]"));
}

}  // namespace

std::vector<HostileFile> hostile_safetensors() {
  std::vector<HostileFile> files;
  add_good(files);
  add_bad_frames(files);
  add_bad_json(files);
  add_bad_layouts(files);
  return files;
}

}  // namespace espalier::testing
