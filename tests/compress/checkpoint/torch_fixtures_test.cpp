// Files that other people's programs wrote, and files made to do harm: each gets the verdict that
// its list names. What they hold was compared with torch once; here it is pinned by checksums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "compress/checkpoint/checkpoint.hpp"
#include "compress/checkpoint/crc32.hpp"
#include "compress/checkpoint/torch_file.hpp"
#include "espalier/error.hpp"
#include "tests/support/real_data.hpp"

namespace espalier::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::filesystem::path data(const std::string& path) {
  return testing::real_data() / "data" / path;
}

// "" when the file is accepted.
std::string refusal(const std::filesystem::path& path) {
  try {
    (void)TorchFile::open(path);
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::bad_input || error.code() == ErrorCode::resource);
    return error.what();
  }
}

// The rows of a MANIFEST.tsv: file and what is expected.
std::map<std::string, std::string> manifest(const std::string& folder) {
  std::ifstream stream(data(folder) / "MANIFEST.tsv");
  std::map<std::string, std::string> rows;
  std::string line;
  std::getline(stream, line);  // the names of the columns
  while (std::getline(stream, line)) {
    std::istringstream columns(line);
    std::string file;
    std::string expected;
    std::getline(columns, file, '\t');
    std::getline(columns, expected, '\t');
    rows[file] = expected;
  }
  return rows;
}

TEST(TorchFixtures, HostileFilesGetTheVerdictOfTheirList) {
  ESPALIER_NEEDS_REAL_DATA();
  for (const char* folder : {"hostile/pickle", "hostile/torch", "hostile/torch_zip"}) {
    const auto rows = manifest(folder);
    ASSERT_GT(rows.size(), 10u) << folder;
    for (const auto& [file, expected] : rows) {
      const std::string message = refusal(data(folder) / file);

      if (expected.starts_with("reject")) {
        EXPECT_NE(message, "") << file << ": " << expected;
      } else if (expected.starts_with("accept,")) {
        EXPECT_EQ(message, "") << file << ": " << expected;
      } else {
        EXPECT_TRUE(expected.starts_with("accept or")) << file << ": " << expected;
      }
      EXPECT_LT(message.size(), 400u) << file;
    }
  }
}

TEST(TorchFixtures, HostilePicklesAreRefusedByWhatTheyAskFor) {
  ESPALIER_NEEDS_REAL_DATA();
  const std::pair<const char*, const char*> asked_for[] = {
      {"pickle/GHSA-46h3-79wf-xr6c.pkl", "'builtins.__import__'"},
      {"pickle/GHSA-7wx9-6375-f5wh.pkl", "'profile.run'"},
      {"pickle/GHSA-84r2-jw7c-4r5q.pkl", "'operator.methodcaller'"},
      {"pickle/GHSA-86cj-95qr-2p4f.pkl", "'torch._dynamo.guards.GuardBuilder.get'"},
      {"pickle/GHSA-955r-x9j8-7rhh.pkl", "'builtins.__import__'"},
      {"pickle/GHSA-cj3c-v495-4xqh.pkl", "'code.InteractiveInterpreter.runcode'"},
      {"pickle/GHSA-r8g5-cgf2-4m4m.pkl", "'numpy.f2py.crackfortran.getlincoef'"},
      {"pickle/GHSA-vvpj-8cmc-gx39.pkl", "'pkgutil.resolve_name'"},
      {"pickle/broken_model.pkl", "'builtins.exec'"},
      {"pickle/keyerror-exploit.pkl", "'os.system'"},
      {"pickle/malicious1_v0.pkl", "'__builtin__.eval'"},
      {"pickle/malicious1_v3.pkl", "'builtins.eval'"},
      {"pickle/malicious1_v4.pkl", "'builtins.eval'"},
      {"pickle/malicious2_v0.pkl", "'posix.system'"},
      {"pickle/malicious2_v3.pkl", "'posix.system'"},
      {"pickle/malicious2_v4.pkl", "'posix.system'"},
      {"pickle/malicious9.pkl", "'sys.exit'"},
      {"pickle/malicious10.pkl", "'__builtin__.exec'"},
      {"pickle/malicious12.pkl", "'operator.attrgetter'"},
      {"pickle/malicious13a.pkl", "'pickle.loads'"},
      {"pickle/malicious13b.pkl", "'_pickle.loads'"},
      {"pickle/malicious14.pkl", "'runpy._run_code'"},
      {"pickle/malicious15a.pkl", "'__builtin__.getattr'"},
      {"pickle/malicious15b.pkl", "'bdb.Bdb.run'"},
      {"pickle/malicious17.pkl", "'torch._inductor.codecache.compile_file'"},
      {"pickle/malicious18.pkl", "'pydoc.pipepager'"},
      {"pickle/malicious23.pkl", "'os.system'"},
      {"pickle/sys_module_override_sploit.pkl", "'torch._utils._rebuild_tensor'"},
      {"pickle/type-confusion-exploit.pkl", "'os.system'"},
      {"pickle/types_CodeType.pkl", "'types.CodeType'"},
      {"torch/pytorch_magic_bypass.pt", "'__builtin__.eval'"},
      {"torch_zip/global_posix_system.bin", "'posix.system'"},
  };
  for (const auto& [file, name] : asked_for) {
    EXPECT_THAT(refusal(data("hostile") / file), AllOf(HasSubstr(name), HasSubstr("pickle byte")))
        << file;
  }
}

TEST(TorchFixtures, OtherFormatsAreRefusedByTheirNames) {
  ESPALIER_NEEDS_REAL_DATA();
  std::size_t n_tars = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data("models/torch_reader"))) {
    if (entry.path().extension() != ".tar") continue;
    ++n_tars;
    EXPECT_THAT(refusal(entry.path()), HasSubstr("tar archive of a torch from before 2017"));
  }
  EXPECT_EQ(n_tars, 6u);
  for (const auto& entry : std::filesystem::directory_iterator(data("models/onnx"))) {
    EXPECT_THAT(refusal(entry.path()), HasSubstr("ONNX graph")) << entry.path();
  }
  EXPECT_THAT(refusal(data("models/torch_reader/multi_layer.safetensors")),
              HasSubstr("safetensors file"));
}

TEST(TorchFixtures, EachTypeIsTheSameInBothLayoutsAndProtocols) {
  ESPALIER_NEEDS_REAL_DATA();
  const std::pair<const char*, ElementType> types[] = {
      {"bfloat16", ElementType::bf16}, {"bool", ElementType::boolean},
      {"float16", ElementType::f16},   {"float32", ElementType::f32},
      {"float64", ElementType::f64},   {"int16", ElementType::i16},
      {"int32", ElementType::i32},     {"int64", ElementType::i64},
      {"int8", ElementType::i8},       {"uint8", ElementType::u8}};
  for (const auto& [name, type] : types) {
    const std::string first = "models/torch_dtypes/tensor_" + std::string(name) + "_proto";
    const TorchFile reference = TorchFile::open(data(first + "2.pt"));
    for (const char* other : {"2_zip.pt", "4.pt", "4_zip.pt"}) {
      const TorchFile file = TorchFile::open(data(first + other));

      ASSERT_NE(file.find(""), nullptr);
      EXPECT_EQ(file.find("")->type, type) << name;
      EXPECT_EQ(file.find("")->shape, (std::vector<std::uint64_t>{4})) << name;
      const auto bytes = file.find("")->bytes;
      const auto expected = reference.find("")->bytes;
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end()))
          << name << other;
    }
  }
}

// One checksum over names, types, shapes and bytes of all tensors.
std::uint32_t fingerprint(const TorchFile& file) {
  std::string all;
  for (const TensorView& view : file.tensors()) {
    all += view.name + '\n' + std::string(name_of(view.type)) + '\n';
    for (const std::uint64_t size : view.shape) all += std::to_string(size) + ',';
    all += '\n';
    all.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
  }
  return crc32(std::as_bytes(std::span(all)));
}

struct Pinned {
  const char* file;
  std::size_t n_tensors;
  std::uint32_t fingerprint;
};

TEST(TorchFixtures, HoldTheTensorsThatTorchFindsInThem) {
  ESPALIER_NEEDS_REAL_DATA();
  const Pinned all[] = {
      {"torch_reader/bfloat16.pt", 1, 0xC1F131FD},
      {"torch_reader/bool.pt", 1, 0x535EFBF6},
      {"torch_reader/buffers.pt", 2, 0xB00E3317},
      {"torch_reader/checkpoint.pt", 5, 0x5A9187B1},
      {"torch_reader/complex_structure.pt", 6, 0x6C4BCE8D},
      {"torch_reader/embedding.pt", 1, 0xF8D05D62},
      {"torch_reader/empty.pt", 1, 0x149856B4},
      {"torch_reader/extreme_values.pt", 1, 0x750C6D86},
      {"torch_reader/float16.pt", 1, 0x8B3290B1},
      {"torch_reader/float32.pt", 1, 0x3CCAC4DF},
      {"torch_reader/float64.pt", 1, 0x166BC863},
      {"torch_reader/int16.pt", 1, 0xEB8BC86F},
      {"torch_reader/int32.pt", 1, 0x838AEC55},
      {"torch_reader/int64.pt", 1, 0xCA8E45DF},
      {"torch_reader/int8.pt", 1, 0xBD9F3F13},
      {"torch_reader/large_shape.pt", 1, 0x257D22CE},
      {"torch_reader/layer_norm.pt", 2, 0xD9EDEB10},
      {"torch_reader/legacy_shared_storage.pt", 3, 0x26DFD246},
      {"torch_reader/legacy_uncloned_views.pt", 2, 0x343C1EA5},
      {"torch_reader/legacy_with_offsets.pt", 3, 0x84379D58},
      {"torch_reader/linear_with_bias.pt", 2, 0x3645B5D3},
      {"torch_reader/mixed_types.pt", 4, 0xB7C77490},
      {"torch_reader/mnist_torch2.pt", 20, 0x5D4B3EC1},
      {"torch_reader/nested_dict.pt", 4, 0xC6AB6BF0},
      {"torch_reader/non_contiguous_indexes.pt", 10, 0xC21CA497},
      {"torch_reader/parameter.pt", 1, 0xC7AAE651},
      {"torch_reader/scalar.pt", 1, 0x8A15227B},
      {"torch_reader/simple_legacy.pt", 3, 0x6BD9A905},
      {"torch_reader/special_values.pt", 1, 0xF1026BAF},
      {"torch_reader/state_dict.pt", 4, 0x8BE090E4},
      {"torch_reader/tensor_2d.pt", 1, 0xE8C09B01},
      {"torch_reader/tensor_3d.pt", 1, 0xFEBD4EC4},
      {"torch_reader/tensor_4d.pt", 1, 0x948E5831},
      {"torch_reader/top_level_key.pt", 2, 0xAEE5D812},
      {"torch_reader/uint8.pt", 1, 0x33198B9B},
      {"torch_reader/weights_with_config.pt", 3, 0x5F09A0E3},
      {"torch_small/new_pytorch_model.bin", 1, 0x9EDA2B3A},
      {"tiny_bert_ner_torchzip/pytorch_model.bin", 24, 0x03ECA06C},
      {"tiny_distilbert_qa_torchlegacy/pytorch_model.bin", 38, 0xC67F0A14},
  };
  for (const Pinned& pinned : all) {
    const TorchFile file = TorchFile::open(data("models") / pinned.file);

    EXPECT_EQ(file.tensors().size(), pinned.n_tensors) << pinned.file;
    EXPECT_EQ(fingerprint(file), pinned.fingerprint) << pinned.file;
  }
}

TEST(TorchFixtures, ATaggerWithATorchFileIsACheckpoint) {
  ESPALIER_NEEDS_REAL_DATA();

  const Checkpoint checkpoint = Checkpoint::open(data("models/tiny_bert_ner_torchzip"));

  EXPECT_EQ(checkpoint.config().architecture, Architecture::token_classification);
  EXPECT_EQ(checkpoint.config().labels.size(), 9u);
  EXPECT_EQ(checkpoint.weight_paths().at(0).filename(), "pytorch_model.bin");
  EXPECT_EQ(checkpoint.parameters().word_embeddings.shape(), (std::vector<std::uint64_t>{402, 16}));
}

}  // namespace
}  // namespace espalier::checkpoint
