// What the functions of espalier.h share: the guard around each, checks of what a C caller gives,
// structs of older and newer callers, and what the opaque handles hold.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "espalier/error.hpp"
#include "espalier/espalier.h"
#include "espalier/model.hpp"
#include "espalier/session.hpp"
#include "espalier/types.hpp"

struct espalier_model {
  espalier::Model model;
  std::vector<const char*> labels;  // into the model's
};

struct espalier_session {
  espalier_session(const espalier::Model& of, const espalier::SessionOptions& options);

  espalier::Model model;
  espalier::Session session;
  std::string device;
  std::string code_path;
  std::uint32_t max_length;
  std::atomic<bool> busy{false};
};

namespace espalier::c_api {

/// Fills `error`, where there is one, and gives `code` back. A longer message is cut before the
/// character that would not fit.
espalier_status report(espalier_error* error, espalier_status code,
                       std::string_view message) noexcept;

/// Runs the body of a function of the C API and turns whatever it throws into a status.
template <typename Work>
espalier_status guard(espalier_error* error, Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return report(error, ESPALIER_OK, "");
  } catch (const Error& failure) {
    return report(error, static_cast<espalier_status>(failure.code()), failure.what());
  } catch (const std::bad_alloc&) {
    return report(error, ESPALIER_RESOURCE, "out of memory; free some or ask for less at once");
  } catch (const std::length_error&) {
    return report(error, ESPALIER_RESOURCE, "more than fits in memory; ask for less at once");
  } catch (const std::exception& failure) {
    return report(error, ESPALIER_FAILED, failure.what());
  } catch (...) {
    return report(error, ESPALIER_FAILED, "something that is no error was thrown");
  }
}

[[noreturn]] void refuse(const std::string& message);  ///< throws Error(usage)

/// `pointer`, which must not be NULL. name: of the argument.
template <typename T>
T& required(T* pointer, const char* name) {
  if (pointer == nullptr) refuse(std::string(name) + " is NULL");
  return *pointer;
}

/// struct_size of a caller's struct. Throws Error(usage) when it is none that a version ever had:
/// all fields lie in slots of eight bytes, so every whole number of slots ends between two.
[[nodiscard]] std::size_t checked_struct_size(const void* given, const char* name);

/// What the caller of any age gave, as this version's struct; NULL is all as usual. Throws
/// Error(unavailable) where a newer caller asks for what this version does not know.
template <typename T>
T read_options(const T* given, const char* name) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
  T options{};
  if (given == nullptr) return options;
  const std::size_t size = checked_struct_size(given, name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t at = sizeof(T); at < size; ++at) {
    if (bytes[at] == 0) continue;
    throw Error(ErrorCode::unavailable,
                std::string(name) + " has an option at byte " + std::to_string(at) +
                    " that this version does not know; use a newer library or leave it zero");
  }
  std::memcpy(&options, given, std::min(size, sizeof(T)));
  return options;
}

/// Fills a struct of a caller of any age. struct_size stays the caller's.
template <typename T>
void write_info(T info, T* given, const char* name) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
  required(given, name);
  const std::size_t size = checked_struct_size(given, name);
  info.struct_size = size;
  std::memcpy(given, &info, std::min(size, sizeof(T)));
  if (size > sizeof(T)) {
    std::memset(reinterpret_cast<unsigned char*>(given) + sizeof(T), 0, size - sizeof(T));
  }
}

/// Whether a text may have a second part, and malformed parts.
struct TextRules {
  bool pairs = true;
  bool replace_invalid_utf8 = false;
};

/// Views of the caller's texts. Throws Error(usage) when there is none, one has no first text or a
/// second one that the call does not take, and Error(bad_input) when one is no UTF-8.
[[nodiscard]] std::vector<Text> read_texts(const espalier_text* texts, std::size_t n_texts,
                                           const TextRules& rules);

[[nodiscard]] std::vector<std::string_view> first_texts(std::span<const Text> texts);

/// Options of a call, checked.
struct Call {
  explicit Call(const espalier_call_options* options);

  CallLimits limits;
  bool replace_invalid_utf8 = false;
};

[[nodiscard]] SessionOptions session_options(const espalier_session_options* options);

/// A session, held by one call. Throws Error(usage) while another call holds it.
class Claim {
 public:
  explicit Claim(espalier_session* session);
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { owner_.busy.store(false, std::memory_order_release); }

  [[nodiscard]] Session& session() const noexcept { return owner_.session; }
  [[nodiscard]] const Model& model() const noexcept { return owner_.model; }

 private:
  espalier_session& owner_;
};

/// Floats of one text's answer to classify or embed; 0 for other tasks.
[[nodiscard]] std::uint32_t n_answers(const Model& model) noexcept;

}  // namespace espalier::c_api
