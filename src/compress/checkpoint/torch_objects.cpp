#include "compress/checkpoint/torch_objects.hpp"

#include <array>
#include <optional>
#include <utility>

#include "base/printable.hpp"
#include "compress/checkpoint/tensor_view.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

// Rows of kGlobals. From kFirstStorage on they are types of storages.
constexpr std::size_t kRebuildTensor = 1;
constexpr std::size_t kRebuildParameter = 2;
constexpr std::size_t kFirstStorage = 3;

constexpr std::array<PickleGlobal, 13> kGlobals = {{
    {"collections", "OrderedDict", true},
    {"torch._utils", "_rebuild_tensor_v2"},
    {"torch._utils", "_rebuild_parameter"},
    {"torch", "FloatStorage"},
    {"torch", "DoubleStorage"},
    {"torch", "HalfStorage"},
    {"torch", "BFloat16Storage"},
    {"torch", "LongStorage"},
    {"torch", "IntStorage"},
    {"torch", "ShortStorage"},
    {"torch", "CharStorage"},
    {"torch", "ByteStorage"},
    {"torch", "BoolStorage"},
}};
constexpr std::array<ElementType, 10> kStorageTypes = {
    ElementType::f32, ElementType::f64, ElementType::f16, ElementType::bf16, ElementType::i64,
    ElementType::i32, ElementType::i16, ElementType::i8,  ElementType::u8,   ElementType::boolean};
static_assert(kFirstStorage + kStorageTypes.size() == kGlobals.size());

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

// Arguments of the things that torch writes, each checked to be what it must.
class Reader {
 public:
  explicit Reader(const PickleGraph& graph) : graph_(graph) {}

  // The row of the global that `node` calls; nothing when it is no call.
  [[nodiscard]] std::optional<std::size_t> called(NodeId node) const {
    if (graph_.kind(node) != PickleKind::call) return std::nullopt;
    return graph_.global(graph_.few_items(node, 2)[0]);
  }

  [[nodiscard]] TorchTensor tensor(NodeId node) const {
    // A parameter is a tensor, whether it wants a gradient, and hooks.
    if (called(node) == kRebuildParameter) {
      node = arguments(node, 3, 3)[0];
      if (called(node) != kRebuildTensor) fail("is a parameter of what is no tensor");
    }
    // Storage, offset, shape, strides, wants a gradient, hooks, and properties that change values.
    const std::vector<NodeId> parts = arguments(node, 6, 7);
    TorchTensor tensor;
    tensor.storage = storage(parts[0]);
    tensor.offset = count(parts[1], "offset");
    tensor.shape = counts(parts[2], "shape");
    tensor.strides = counts(parts[3], "strides");
    if (tensor.shape.size() != tensor.strides.size()) {
      fail("has " + std::to_string(tensor.shape.size()) + " axes and " +
           std::to_string(tensor.strides.size()) + " strides");
    }
    if (parts.size() == 7 && !is_empty(parts[6])) {
      fail("is negated or conjugated, which is not read; save tensor.resolve_neg() instead");
    }
    return tensor;
  }

  [[nodiscard]] TorchStorage storage(NodeId node) const {
    if (graph_.kind(node) != PickleKind::persistent) fail("looks into what is no storage");
    const NodeId id = graph_.few_items(node, 1)[0];
    if (graph_.kind(id) != PickleKind::tuple) fail("has a storage without a description");
    // "storage", type, key, device, number of elements; in old files also a part of it or None.
    const std::vector<NodeId> parts = graph_.few_items(id, 6);
    const bool plausible =
        (parts.size() == 5 || parts.size() == 6) && text(parts[0]) == "storage" &&
        graph_.kind(parts[1]) == PickleKind::global && graph_.global(parts[1]) >= kFirstStorage &&
        graph_.kind(parts[2]) == PickleKind::text;
    if (!plausible) fail("has a storage whose description is malformed");
    TorchStorage storage;
    storage.type = kStorageTypes[graph_.global(parts[1]) - kFirstStorage];
    storage.key = graph_.text(parts[2]);
    storage.n_elements = count(parts[4], "number of elements");
    storage.n_seen = storage.n_elements;
    if (parts.size() == 6 && graph_.kind(parts[5]) != PickleKind::none) {
      see_part(storage, parts[5]);
    }
    return storage;
  }

 private:
  // A view of a storage is the key of the view, its first element and how many there are.
  void see_part(TorchStorage& storage, NodeId view) const {
    if (graph_.kind(view) != PickleKind::tuple) fail("has a storage whose part is malformed");
    const std::vector<NodeId> parts = graph_.few_items(view, 3);
    if (parts.size() != 3) fail("has a storage whose part is malformed");
    storage.first = count(parts[1], "beginning");
    storage.n_seen = count(parts[2], "number of elements");
    if (storage.first > storage.n_elements || storage.n_seen > storage.n_elements - storage.first) {
      fail("sees a part of its storage that goes past its end");
    }
  }

  [[nodiscard]] std::vector<NodeId> arguments(NodeId call, std::size_t least,
                                              std::size_t most) const {
    std::vector<NodeId> found = graph_.few_items(graph_.few_items(call, 2)[1], most);
    if (found.size() < least || found.size() > most) {
      fail("is made of another number of parts than torch writes");
    }
    return found;
  }

  [[nodiscard]] std::string_view text(NodeId node) const {
    return graph_.kind(node) == PickleKind::text ? graph_.text(node) : std::string_view();
  }

  [[nodiscard]] std::uint64_t count(NodeId node, const char* what) const {
    if (graph_.kind(node) != PickleKind::integer || graph_.integer(node) < 0) {
      fail("has as its " + std::string(what) + " what is no number from 0 to 2^63");
    }
    return static_cast<std::uint64_t>(graph_.integer(node));
  }

  [[nodiscard]] std::vector<std::uint64_t> counts(NodeId node, const char* what) const {
    if (graph_.kind(node) != PickleKind::tuple) {
      fail("has as its " + std::string(what) + " what is no tuple");
    }
    std::vector<std::uint64_t> numbers;
    for (const NodeId axis : graph_.few_items(node, kMaxTorchAxes)) {
      numbers.push_back(count(axis, what));
    }
    if (numbers.size() > kMaxTorchAxes) {
      fail("has more than " + std::to_string(kMaxTorchAxes) + " axes");
    }
    return numbers;
  }

  [[nodiscard]] bool is_empty(NodeId node) const {
    if (graph_.kind(node) == PickleKind::none) return true;
    return graph_.kind(node) == PickleKind::dict && graph_.items(node).done();
  }

  const PickleGraph& graph_;
};

// Walks over dicts, lists and tuples. Depth is bounded, and so is the number of visits: what is
// shared is visited where it is used, and 60 lists of two can mean 2^60 values.
class Walk {
 public:
  explicit Walk(const PickleGraph& graph) : graph_(graph), reader_(graph) {}

  void visit(NodeId node, std::size_t depth) {
    if (++n_visits_ > kMaxPickleNodes) {
      throw Error(ErrorCode::resource, "holds more than " + std::to_string(kMaxPickleNodes) +
                                           " values; it is no state dict");
    }
    if (depth > kMaxTorchDepth) {
      fail("nests dicts or lists deeper than " + std::to_string(kMaxTorchDepth) +
           " levels; it is no state dict");
    }
    const PickleKind kind = graph_.kind(node);
    if (kind == PickleKind::call) {
      add_tensor(node);
    } else if (kind == PickleKind::dict) {
      for (auto items = graph_.items(node); !items.done(); items.advance()) {
        const NodeId key = items.item();
        items.advance();  // keys and values come in pairs
        visit_below(step_of(key), items.item(), depth);
      }
    } else if (kind == PickleKind::list || kind == PickleKind::tuple) {
      std::int64_t index = 0;
      for (auto items = graph_.items(node); !items.done(); items.advance()) {
        visit_below({.index = index++}, items.item(), depth);
      }
    }
  }

  std::vector<TorchTensor> take() { return std::move(tensors_); }

 private:
  // One step of the way from the root: a key of a dict or an index of a list.
  struct Step {
    std::string_view key = {};
    std::int64_t index = 0;
    bool is_key = false;
  };

  void visit_below(const Step& step, NodeId node, std::size_t depth) {
    path_.push_back(step);
    visit(node, depth + 1);
    path_.pop_back();
  }

  // Steps become text for tensors only: the same long key may be met a million times.
  [[nodiscard]] std::string name() const {
    std::string name;
    for (const Step& step : path_) {
      if (!name.empty()) name += '.';
      if (step.is_key) {
        name += step.key;
      } else {
        name += std::to_string(step.index);
      }
    }
    return name;
  }

  [[nodiscard]] Step step_of(NodeId key) const {
    switch (graph_.kind(key)) {
      case PickleKind::text:
        return {.key = graph_.text(key), .is_key = true};
      case PickleKind::integer:
        return {.index = graph_.integer(key)};
      default:
        fail("has below " + printable(name()) +
             " a dict with a key that is neither text nor number; it is no state dict");
    }
  }

  void add_tensor(NodeId node) {
    std::string own_name = name();
    n_name_bytes_ += own_name.size();
    with_context("tensor " + printable(own_name), [&] {
      tensors_.push_back(reader_.tensor(node));
      n_axes_ += tensors_.back().shape.size();
      tensors_.back().name = std::move(own_name);
    });
    const auto check = [](std::size_t number, std::size_t most, const char* what) {
      if (number <= most) return;
      throw Error(ErrorCode::resource, "holds more than " + std::to_string(most) + what);
    };
    check(tensors_.size(), kMaxTensors, " tensors");
    check(n_axes_, kMaxDimensions, " axes of tensors");
    check(n_name_bytes_, kMaxNameBytes, " bytes of names");
  }

  const PickleGraph& graph_;
  Reader reader_;
  std::vector<Step> path_;
  std::size_t n_visits_ = 0;
  std::size_t n_axes_ = 0;
  std::size_t n_name_bytes_ = 0;
  std::vector<TorchTensor> tensors_;
};

}  // namespace

Pickle read_torch_pickle(std::span<const std::byte> bytes, std::size_t begin) {
  return read_pickle(bytes, begin, kGlobals);
}

std::vector<TorchTensor> find_tensors(const Pickle& pickle) {
  Walk walk(pickle.graph);
  walk.visit(pickle.root, 0);
  std::vector<TorchTensor> tensors = walk.take();
  if (tensors.empty()) fail("holds no tensors");
  return tensors;
}

std::map<std::string_view, TorchStorage> find_storages(const Pickle& pickle) {
  const Reader reader(pickle.graph);
  std::map<std::string_view, TorchStorage> storages;
  std::vector<bool> seen(pickle.graph.size());  // descriptions, which a million storages may share
  for (std::size_t node = 0; node < pickle.graph.size(); ++node) {
    const auto id = static_cast<NodeId>(node);
    if (pickle.graph.kind(id) != PickleKind::persistent) continue;
    const auto description = static_cast<std::size_t>(pickle.graph.items(id).item());
    if (seen[description]) continue;
    seen[description] = true;
    const TorchStorage storage = with_context("pickle", [&] { return reader.storage(id); });
    const auto [known, is_new] = storages.emplace(storage.key, storage);
    if (known->second.type != storage.type || known->second.n_elements != storage.n_elements) {
      fail("describes the storage " + printable(storage.key) + " in two ways");
    }
    if (is_new && storages.size() > kMaxTensors) {
      throw Error(ErrorCode::resource,
                  "holds more than " + std::to_string(kMaxTensors) + " storages");
    }
  }
  return storages;
}

}  // namespace espalier::checkpoint
