#include "compress/checkpoint/safetensors_header.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/printable.hpp"
#include "compress/checkpoint/safetensors.hpp"
#include "espalier/error.hpp"

namespace espalier::checkpoint {
namespace {

// 64-bit integers have 20; a number in a field that nobody reads may have more.
constexpr std::size_t kMaxDigits = 100;

// Receives the JSON as events. The parser keeps its own stack on the heap, so that no nesting can
// exhaust ours; the state below is all there is to remember.
class HeaderHandler {
 public:
  // The names are the parser's.
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() {
    // The reference reads a null __metadata__ as an absent one.
    if (state_ == State::top && in_metadata_key_) return true;
    return scalar("null");
  }
  bool boolean(bool /*value*/) { return scalar("a truth value"); }
  bool number_integer(number_integer_t /*value*/) { return scalar("a negative number"); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) {
    return scalar("a number that is no unsigned 64-bit integer");
  }
  bool binary(binary_t& /*value*/) { return scalar("binary data"); }

  bool number_unsigned(number_unsigned_t value) {
    if (state_ == State::shape) {
      if (++dimensions_ > kMaxDimensions) {
        throw Error(ErrorCode::resource,
                    "more than " + std::to_string(kMaxDimensions) + " dimensions in one header");
      }
      entry_.shape.push_back(value);
      return true;
    }
    if (state_ == State::offsets) {
      if (offsets_ == 2) fail_field("has more than two numbers");
      (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
      return true;
    }
    return scalar("a number");
  }

  bool string(string_t& value) {
    if (state_ == State::metadata) return true;
    if (state_ == State::tensor && field_ == Field::dtype) {
      const std::optional<ElementType> type = element_type(value);
      if (!type) fail_field("is the unknown type " + printable(value));
      entry_.type = *type;
      return true;
    }
    return scalar("a string");
  }

  bool key(string_t& value) {
    switch (state_) {
      case State::top:
        begin_entry(value);
        break;
      case State::metadata:
        add_metadata_key(std::move(value));
        break;
      case State::tensor:
        begin_field(value);
        break;
      case State::before:
      case State::shape:
      case State::offsets:
      case State::ignored:
        break;
    }
    return true;
  }

  bool start_object(std::size_t /*size*/) {
    descend();
    if (state_ == State::before) {
      state_ = State::top;
    } else if (state_ == State::top) {
      state_ = in_metadata_key_ ? State::metadata : State::tensor;
    } else {
      ignore_or_fail("an object");
    }
    return true;
  }

  bool end_object() {
    --depth_;
    if (state_ == State::metadata) {
      check_metadata_keys();
      state_ = State::top;
    } else if (state_ == State::tensor) {
      end_entry();
      state_ = State::top;
    } else {
      leave_ignored();
    }
    return true;
  }

  bool start_array(std::size_t /*size*/) {
    descend();
    if (state_ == State::tensor && field_ == Field::shape) {
      state_ = State::shape;
    } else if (state_ == State::tensor && field_ == Field::offsets) {
      state_ = State::offsets;
    } else {
      ignore_or_fail("an array");
    }
    return true;
  }

  bool end_array() {
    --depth_;
    if (state_ == State::shape) {
      state_ = State::tensor;
    } else if (state_ == State::offsets) {
      if (offsets_ != 2) fail_field("has fewer than two numbers");
      state_ = State::tensor;
    } else {
      leave_ignored();
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) {
    throw Error(ErrorCode::bad_input,
                "header is not valid JSON at its byte " + std::to_string(position));
  }

  std::vector<HeaderEntry> take() { return std::move(entries_); }

 private:
  enum class State { before, top, metadata, tensor, shape, offsets, ignored };
  enum class Field { dtype, shape, offsets, unknown };

  void descend() {
    if (++depth_ > kMaxJsonDepth) {
      throw Error(ErrorCode::bad_input,
                  "header nests JSON deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
  }

  // Values of fields that the format does not define are skipped, as the reference does.
  void ignore_or_fail(const char* what) {
    if (state_ == State::ignored) return;
    if (state_ == State::tensor && field_ == Field::unknown) {
      state_ = State::ignored;
      ignored_from_ = depth_;
      return;
    }
    fail_value(what);
  }

  void leave_ignored() {
    if (state_ == State::ignored && depth_ < ignored_from_) state_ = State::tensor;
  }

  bool scalar(const char* what) {
    const bool skipped =
        state_ == State::ignored || (state_ == State::tensor && field_ == Field::unknown);
    if (!skipped) fail_value(what);
    return true;
  }

  void begin_entry(std::string& name) {
    in_metadata_key_ = name == "__metadata__";
    if (in_metadata_key_) {
      if (std::exchange(has_metadata_, true)) {
        throw Error(ErrorCode::bad_input, "header has the key '__metadata__' twice");
      }
      return;
    }
    if (entries_.size() == kMaxTensors) {
      throw Error(ErrorCode::resource,
                  "more than " + std::to_string(kMaxTensors) + " tensors in one file");
    }
    entry_ = HeaderEntry{};
    entry_.name = std::move(name);
    has_dtype_ = has_shape_ = has_offsets_ = false;
    offsets_ = 0;
  }

  void begin_field(const std::string& name) {
    field_ = name == "dtype"          ? Field::dtype
             : name == "shape"        ? Field::shape
             : name == "data_offsets" ? Field::offsets
                                      : Field::unknown;
    bool unknown = false;
    bool& seen = field_ == Field::dtype     ? has_dtype_
                 : field_ == Field::shape   ? has_shape_
                 : field_ == Field::offsets ? has_offsets_
                                            : unknown;
    if (std::exchange(seen, true)) fail_field("is given twice");
  }

  void end_entry() {
    if (!has_dtype_ || !has_shape_ || !has_offsets_) {
      throw Error(ErrorCode::bad_input, "tensor " + printable(entry_.name) + " has no " +
                                            (!has_dtype_   ? "dtype"
                                             : !has_shape_ ? "shape"
                                                           : "data_offsets"));
    }
    entries_.push_back(std::move(entry_));
  }

  void add_metadata_key(std::string&& name) {
    if (metadata_keys_.size() == kMaxTensors) {
      throw Error(ErrorCode::resource,
                  "more than " + std::to_string(kMaxTensors) + " keys in __metadata__");
    }
    metadata_keys_.push_back(std::move(name));
  }

  void check_metadata_keys() {
    std::sort(metadata_keys_.begin(), metadata_keys_.end());
    const auto twice = std::adjacent_find(metadata_keys_.begin(), metadata_keys_.end());
    if (twice != metadata_keys_.end()) {
      throw Error(ErrorCode::bad_input, "__metadata__ has the key " + printable(*twice) + " twice");
    }
    metadata_keys_.clear();
  }

  [[nodiscard]] const char* field_name() const {
    switch (field_) {
      case Field::dtype:
        return "dtype";
      case Field::shape:
        return "shape";
      case Field::offsets:
        return "data_offsets";
      case Field::unknown:
        break;
    }
    return "a field";
  }

  [[noreturn]] void fail_field(const std::string& what) const {
    throw Error(ErrorCode::bad_input,
                std::string(field_name()) + " of tensor " + printable(entry_.name) + " " + what);
  }

  [[noreturn]] void fail_value(const std::string& what) const {
    switch (state_) {
      case State::before:
        throw Error(ErrorCode::bad_input, "header is " + what + ", not an object");
      case State::metadata:
        throw Error(ErrorCode::bad_input, "a value of __metadata__ is " + what + ", not a string");
      case State::top:
        throw Error(ErrorCode::bad_input, (in_metadata_key_ ? std::string("__metadata__")
                                                            : "tensor " + printable(entry_.name)) +
                                              " is " + what + ", not an object");
      case State::tensor:
        fail_field("is " + what);
      case State::shape:
      case State::offsets:
      case State::ignored:
        fail_field("holds " + what + ", not only unsigned integers");
    }
    throw Error(ErrorCode::failed, "unreachable state of the safetensors header reader");
  }

  State state_ = State::before;
  Field field_ = Field::unknown;
  int depth_ = 0;
  int ignored_from_ = 0;  // depth of the ignored value itself
  bool in_metadata_key_ = false;
  bool has_metadata_ = false;
  bool has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
  int offsets_ = 0;
  std::size_t dimensions_ = 0;
  HeaderEntry entry_;
  std::vector<HeaderEntry> entries_;
  std::vector<std::string> metadata_keys_;
};

// What the parser would let pass or pay too much for: it takes a NUL for the end, skips a byte
// order mark, and copies a number several times, however long it is.
void check_text(std::string_view json) {
  if (json.substr(0, 3) == "\xef\xbb\xbf") {
    throw Error(ErrorCode::bad_input, "header begins with a byte order mark");
  }
  if (json.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::bad_input, "header holds a NUL byte");
  }
  bool in_string = false;
  std::size_t n_digits = 0;  // of the number that goes on here
  for (std::size_t place = 0; place < json.size(); ++place) {
    const char byte = json[place];
    const bool in_number = !in_string && byte >= '0' && byte <= '9';
    n_digits = in_number ? n_digits + 1 : 0;
    if (n_digits > kMaxDigits) {
      throw Error(ErrorCode::bad_input,
                  "header has a number of more than " + std::to_string(kMaxDigits) + " digits");
    }
    if (byte == '"') in_string = !in_string;
    if (in_string && byte == '\\') ++place;  // whatever is escaped does not end the string
  }
}

}  // namespace

std::vector<HeaderEntry> parse_safetensors_header(std::string_view json) {
  check_text(json);
  HeaderHandler handler;
  nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  return handler.take();
}

}  // namespace espalier::checkpoint
