// Built in place of onednn_linears.cpp when ESPALIER_WITH_ONEDNN is off.
#include "runtime/cpu/linear.hpp"

namespace espalier::runtime::cpu {

std::unique_ptr<LinearMaker> make_onednn_linears(const RowKernels&) {
  return nullptr;
}
bool onednn_int8_is_exact() {
  return false;
}
bool onednn_has_bf16() {
  return false;
}
std::string onednn_version() {
  return {};
}

}  // namespace espalier::runtime::cpu
