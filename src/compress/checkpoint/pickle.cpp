#include "compress/checkpoint/pickle.hpp"

#include <string>
#include <utility>

#include "base/printable.hpp"
#include "compress/checkpoint/pickle_machine.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

// What torch.save writes for tensors with any protocol from 2 on; and of older protocols the
// strings and names, so that what a hostile pickle asks for can be told.
enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kString = 'S',
  kUnicode = 'V',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kInst = 'i',
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kProto = 0x80,
  kFrame = 0x95,
};

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::bad_input, what);
}

// Reads opcodes and their arguments. Opcodes come in four groups, a function each.
class Decoder {
 public:
  Decoder(std::string_view bytes, std::size_t begin, std::span<const PickleGlobal> globals)
      : bytes_(bytes), place_(begin), machine_(globals) {}

  Pickle run() {
    std::size_t opcode_place = place_;
    try {
      while (step()) opcode_place = place_;
      return std::move(machine_).finish(place_);
    } catch (const Error& error) {
      throw Error(error.code(),
                  "pickle byte " + std::to_string(opcode_place) + ": " + error.what());
    }
  }

 private:
  // Compared by subtraction: a length near 2^64 must not wrap.
  std::string_view take(std::uint64_t n_bytes) {
    const std::size_t n_left = bytes_.size() - place_;
    if (n_bytes > n_left) {
      fail("wants " + std::to_string(n_bytes) + " bytes where " + std::to_string(n_left) +
           " are left; the file is truncated or damaged");
    }
    const std::string_view taken = bytes_.substr(place_, n_bytes);
    place_ += taken.size();
    return taken;
  }

  static std::uint64_t little_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes[byte])} << (8 * byte);
    }
    return value;
  }

  std::uint64_t number(std::size_t n_bytes) { return little_endian(take(n_bytes)); }

  std::string_view text(std::uint64_t n_bytes) {
    const std::string_view taken = take(n_bytes);
    if (taken.size() > kMaxPickleString) {
      throw Error(ErrorCode::resource, "string of " + std::to_string(n_bytes) +
                                           " bytes, more than " + std::to_string(kMaxPickleString));
    }
    return taken;
  }

  std::string_view line() {
    const std::size_t end = bytes_.substr(place_, kMaxPickleString).find('\n');
    if (end == std::string_view::npos) fail("has a line that does not end");
    const std::string_view taken = take(end);
    ++place_;  // the line feed
    return taken;
  }

  static std::string_view unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && (text[0] == '\'' || text[0] == '"');
    return quoted ? text.substr(1, text.size() - 2) : text;
  }

  bool step() {
    const auto opcode = static_cast<unsigned char>(take(1)[0]);
    if (opcode == kStop) return false;
    if (!value(opcode) && !container(opcode) && !reference(opcode) && !framing(opcode)) {
      const char shown = static_cast<char>(opcode);
      fail("has the opcode " + printable({&shown, 1}) +
           ", which is none of those that torch.save writes for tensors");
    }
    return true;
  }

  NodeId long_integer(std::string_view bytes) {
    PickleGraph& graph = machine_.graph();
    if (bytes.size() > 8) return graph.add_text(PickleKind::long_integer, bytes);
    std::uint64_t value = little_endian(bytes);
    const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
    if (negative && bytes.size() < 8) value |= ~std::uint64_t{0} << (8 * bytes.size());
    return graph.add_integer(static_cast<std::int64_t>(value));
  }

  bool value(unsigned char opcode) {
    PickleGraph& graph = machine_.graph();
    switch (opcode) {
      case kNone:
        machine_.push(graph.add(PickleKind::none));
        return true;
      case kNewTrue:
      case kNewFalse:
        machine_.push(graph.add(PickleKind::boolean));
        return true;
      case kBinInt:
        machine_.push(graph.add_integer(static_cast<std::int32_t>(number(4))));
        return true;
      case kBinInt1:
        machine_.push(graph.add_integer(static_cast<std::int64_t>(number(1))));
        return true;
      case kBinInt2:
        machine_.push(graph.add_integer(static_cast<std::int64_t>(number(2))));
        return true;
      case kLong1:
        machine_.push(long_integer(take(number(1))));
        return true;
      case kBinFloat:
        (void)take(8);  // no tensor depends on one
        machine_.push(graph.add(PickleKind::real));
        return true;
      case kBinUnicode:
        machine_.push(graph.add_text(PickleKind::text, text(number(4))));
        return true;
      case kShortBinUnicode:
        machine_.push(graph.add_text(PickleKind::text, text(number(1))));
        return true;
      case kString:
      case kUnicode:
        machine_.push(graph.add_text(PickleKind::text, unquoted(line())));
        return true;
      case kEmptyTuple:
        machine_.push(graph.add(PickleKind::tuple));
        return true;
      case kEmptyList:
        machine_.push(graph.add(PickleKind::list));
        return true;
      case kEmptyDict:
        machine_.push(graph.add(PickleKind::dict));
        return true;
      default:
        return false;
    }
  }

  bool container(unsigned char opcode) {
    switch (opcode) {
      case kMark:
        machine_.mark();
        return true;
      case kTuple:
        machine_.make_tuple_to_mark();
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        machine_.make_tuple(opcode - kTuple1 + 1u);
        return true;
      case kAppend:
        machine_.add_last_to(PickleKind::list);
        return true;
      case kAppends:
        machine_.add_to_mark_to(PickleKind::list);
        return true;
      case kSetItem:
        machine_.add_last_to(PickleKind::dict);
        return true;
      case kSetItems:
        machine_.add_to_mark_to(PickleKind::dict);
        return true;
      case kBuild:
        machine_.drop_state();
        return true;
      default:
        return false;
    }
  }

  bool reference(unsigned char opcode) {
    switch (opcode) {
      case kBinPut:
        machine_.put(number(1), place_);
        return true;
      case kLongBinPut:
        machine_.put(number(4), place_);
        return true;
      case kMemoize:
        machine_.put_next();
        return true;
      case kBinGet:
        machine_.get(number(1));
        return true;
      case kLongBinGet:
        machine_.get(number(4));
        return true;
      case kGlobal:
      case kInst: {
        const std::string_view module = line();
        machine_.push_global(module, line());
        if (opcode == kInst) fail("makes an object of a class");
        return true;
      }
      case kStackGlobal:
        machine_.push_global_of_names();
        return true;
      case kReduce:
        machine_.call();
        return true;
      case kBinPersId:
        machine_.make_persistent();
        return true;
      default:
        return false;
    }
  }

  bool framing(unsigned char opcode) {
    constexpr std::uint64_t kNewestProtocol = 5;
    if (opcode == kProto) {
      const std::uint64_t protocol = number(1);
      if (protocol >= 2 && protocol <= kNewestProtocol) return true;
      fail("is of protocol " + std::to_string(protocol) + ", expected 2 to 5");
    }
    if (opcode != kFrame) return false;
    // A hint about buffering: what it covers is read opcode by opcode all the same.
    const std::uint64_t n_bytes = number(8);
    if (n_bytes > bytes_.size() - place_) fail("has a frame that runs past the end");
    return true;
  }

  std::string_view bytes_;
  std::size_t place_;
  PickleMachine machine_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, std::size_t begin,
                   std::span<const PickleGlobal> globals) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Decoder(text, begin, globals).run();
}

}  // namespace espalier::checkpoint
