#include "number_list.hpp"

#include <charconv>
#include <string>

#include "espalier/error.hpp"
#include "json_text.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t kMaxNumbers = 1000;  // a longer list is a slip of the keyboard

struct List {
  std::string_view option;
  std::uint32_t max;
  std::vector<std::uint32_t> numbers;

  [[noreturn]] void fail(std::string_view item) const {
    throw Error(ErrorCode::usage, std::string(option) + ": '" + one_line(item, 40) +
                                      "' is neither a number from 1 to " + std::to_string(max) +
                                      " nor a range such as 16-512*2 or 16-64+16");
  }

  std::uint32_t number(std::string_view digits, std::string_view item) const {
    std::uint32_t value = 0;
    const char* end = digits.data() + digits.size();
    const std::from_chars_result result = std::from_chars(digits.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end || value < 1 || value > max) fail(item);
    return value;
  }

  void add(std::uint64_t value) {
    if (numbers.size() == kMaxNumbers) {
      throw Error(ErrorCode::usage, std::string(option) + " has more than " +
                                        std::to_string(kMaxNumbers) + " numbers");
    }
    numbers.push_back(static_cast<std::uint32_t>(value));
  }

  void add_item(std::string_view item) {
    const std::size_t dash = item.find('-');
    if (dash == std::string_view::npos) return add(number(item, item));
    const std::size_t sign = item.find_first_of("*+", dash);
    if (sign == std::string_view::npos) fail(item);
    const std::uint64_t last = number(item.substr(dash + 1, sign - dash - 1), item);
    const std::uint64_t step = number(item.substr(sign + 1), item);
    const bool multiply = item[sign] == '*';
    std::uint64_t value = number(item.substr(0, dash), item);
    if (value > last || (multiply && step < 2)) fail(item);
    // No overflow: all three are below 2^32.
    for (; value <= last; value = multiply ? value * step : value + step) add(value);
  }
};

}  // namespace

std::vector<std::uint32_t> parse_numbers(std::string_view text, std::string_view option,
                                         std::uint32_t max) {
  List list{option, max, {}};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    list.add_item(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return list.numbers;
}

}  // namespace espalier::tools
