#include "runtime/cpu/vnni_kernels.hpp"

#include <xbyak/xbyak.h>

#include <algorithm>
#include <string>

#include "base/canonical.hpp"
#include "espalier/error.hpp"

namespace espalier::runtime::cpu {
namespace {

// Room for all tiles; pages that the code does not reach are never touched.
constexpr std::size_t kCodeBytes = std::size_t{1} << 20;

// Bytes of a panel's step, and how far ahead of itself a tile asks for its panel: 8 steps are about
// 200 cycles of a full tile, longer than L2 and L3 take to answer.
constexpr int kStepBytes = 256;
constexpr int kAheadBytes = 8 * kStepBytes;

// What GELU reads, each broadcast from memory by the instruction that uses it.
struct GeluConstants {
  float low = -canonical::kGeluClamp;
  float high = canonical::kGeluClamp;
  float scale = canonical::kGeluScale;
  float minus_one = -1.0F;
  float half = 0.5F;
  float zero = 0.0F;
  float one = 1.0F;
  std::array<float, canonical::kGelu.size()> polynomial = canonical::kGelu;
};
constexpr GeluConstants kGeluConstants;

}  // namespace

// Follows the System V calling convention: the tile's operands come in rdi; nothing else that a
// caller keeps is touched.
class VnniKernels::Generator : public Xbyak::CodeGenerator {
 public:
  Generator() : Xbyak::CodeGenerator(kCodeBytes, Xbyak::DontSetProtectRWE) {}

  [[nodiscard]] Function tile(TileEnd end, int rows, int blocks);

 private:
  // One kind of tile while it is generated.
  struct Kind {
    TileEnd end;
    int rows;
    int blocks;
    [[nodiscard]] bool linear() const {
      return end == TileEnd::store || end == TileEnd::gelu || end == TileEnd::add;
    }
    [[nodiscard]] int step_bytes() const {
      return end == TileEnd::context ? blocks * 64 : kStepBytes;
    }
  };

  static Xbyak::Zmm sum(const Kind& kind, int row, int block) {
    return Xbyak::Zmm(row * kind.blocks + block);
  }
  static Xbyak::Zmm spare(int index) { return Xbyak::Zmm(24 + index); }  // of 8

  // Where row `row` lies, from rows at `base` with strides in r8, r9 (3 strides) and r10 (5).
  [[nodiscard]] Xbyak::RegExp row_of(const Xbyak::Reg64& base, int row) const;
  void load_strides(std::size_t stride_offset);

  void begin_sums(const Kind& kind);
  void add_products(const Kind& kind);
  void step(const Kind& kind, int index);
  void finish(const Kind& kind);
  void dequantize(const Kind& kind, int block);
  void gelu(const Kind& kind);
  void gelu_of(const Xbyak::Zmm* x, int count);
  void put(const Kind& kind);
};

Xbyak::RegExp VnniKernels::Generator::row_of(const Xbyak::Reg64& base, int row) const {
  switch (row) {
    case 0:
      return base;
    case 1:
      return base + r8;
    case 2:
      return base + r8 * 2;
    case 3:
      return base + r9;
    case 4:
      return base + r8 * 4;
    default:
      return base + r10;
  }
}

void VnniKernels::Generator::load_strides(std::size_t stride_offset) {
  mov(r8, ptr[rdi + stride_offset]);
  lea(r9, ptr[r8 + r8 * 2]);
  lea(r10, ptr[r8 + r8 * 4]);
}

VnniKernels::Function VnniKernels::Generator::tile(TileEnd end, int rows, int blocks) {
  const Kind kind = {end, rows, blocks};
  align(64);
  const auto function = getCurr<Function>();
  endbr64();
  begin_sums(kind);
  add_products(kind);
  finish(kind);
  vzeroupper();
  ret();
  return function;
}

void VnniKernels::Generator::begin_sums(const Kind& kind) {
  if (kind.end == TileEnd::context) {
    for (int row = 0; row < kind.rows; ++row) {
      for (int block = 0; block < kind.blocks; ++block) {
        vpxord(sum(kind, row, block), sum(kind, row, block), sum(kind, row, block));
      }
    }
    return;
  }
  Xbyak::Label own_zeros, done;
  mov(rax, ptr[rdi + offsetof(VnniTile, start)]);
  for (int block = 0; block < kind.blocks; ++block) {
    vmovdqu32(sum(kind, 0, block), ptr[rax + 64 * block]);
  }
  if (kind.linear()) {
    mov(rcx, ptr[rdi + offsetof(VnniTile, row_zero)]);
    test(rcx, rcx);
    jnz(own_zeros, T_NEAR);
  }
  for (int row = 1; row < kind.rows; ++row) {
    for (int block = 0; block < kind.blocks; ++block) {
      vmovdqa32(sum(kind, row, block), sum(kind, 0, block));
    }
  }
  if (!kind.linear()) return;
  jmp(done, T_NEAR);
  L(own_zeros);
  for (int row = kind.rows - 1; row >= 0; --row) {  // row 0 holds what all are made of
    for (int block = 0; block < kind.blocks; ++block) {
      vpmulld(sum(kind, row, block), sum(kind, 0, block), ptr_b[rcx + 4 * row]);
    }
  }
  L(done);
}

// Four steps a turn: a group of 16 codes.
void VnniKernels::Generator::add_products(const Kind& kind) {
  Xbyak::Label turn, done;
  load_strides(offsetof(VnniTile, code_stride));
  mov(rax, ptr[rdi + offsetof(VnniTile, codes)]);
  mov(rdx, ptr[rdi + offsetof(VnniTile, panel)]);
  mov(rcx, ptr[rdi + offsetof(VnniTile, n_groups)]);
  if (kind.linear()) {
    mov(r11, ptr[rdi + offsetof(VnniTile, prefetch)]);
    mov(rsi, ptr[rdi + offsetof(VnniTile, prefetch_stride)]);
  }
  test(rcx, rcx);
  jz(done, T_NEAR);
  align(32);
  L(turn);
  for (int index = 0; index < 4; ++index) step(kind, index);
  add(rax, 16);
  add(rdx, 4 * kind.step_bytes());
  if (kind.linear()) add(r11, 4 * 64);
  dec(rcx);
  jnz(turn, T_NEAR);
  L(done);
}

void VnniKernels::Generator::step(const Kind& kind, int index) {
  const Xbyak::Zmm codes = spare(4);
  const int at = index * kind.step_bytes();
  for (int block = 0; block < kind.blocks; ++block) {
    vmovdqu32(spare(block), ptr[rdx + (at + 64 * block)]);
    // Panels of linears stream from L2; those of attention were just packed into L1.
    if (kind.linear()) prefetcht0(ptr[rdx + (at + 64 * block + kAheadBytes)]);
  }
  if (kind.linear()) {
    prefetcht1(ptr[r11 + 64 * index]);
    prefetcht1(ptr[r11 + rsi + 64 * index]);
    prefetcht1(ptr[r11 + rsi * 2 + 64 * index]);
  }
  for (int row = 0; row < kind.rows; ++row) {
    vpbroadcastd(codes, ptr[row_of(rax, row) + 4 * index]);
    for (int block = 0; block < kind.blocks; ++block) {
      vpdpbusd(sum(kind, row, block), codes, spare(block));
    }
  }
}

void VnniKernels::Generator::finish(const Kind& kind) {
  load_strides(offsetof(VnniTile, dst_stride));
  mov(rsi, ptr[rdi + offsetof(VnniTile, row_scale)]);
  if (kind.end != TileEnd::context) mov(rcx, ptr[rdi + offsetof(VnniTile, column_scale)]);
  if (kind.linear()) mov(rdx, ptr[rdi + offsetof(VnniTile, bias)]);
  mov(rax, ptr[rdi + offsetof(VnniTile, dst)]);
  for (int block = 0; block < kind.blocks; ++block) dequantize(kind, block);
  if (kind.end == TileEnd::gelu) gelu(kind);
  put(kind);
}

void VnniKernels::Generator::dequantize(const Kind& kind, int block) {
  const Xbyak::Zmm scale = spare(0), bias = spare(1);
  if (kind.end != TileEnd::context) vmovups(scale, ptr[rcx + 64 * block]);
  if (kind.linear()) vmovups(bias, ptr[rdx + 64 * block]);
  for (int row = 0; row < kind.rows; ++row) {
    const Xbyak::Zmm y = sum(kind, row, block);
    vcvtdq2ps(y, y);
    vmulps(y, y, ptr_b[rsi + 4 * row]);
    if (kind.linear()) vfmadd213ps(y, scale, bias);
    if (kind.end == TileEnd::scores) vmulps(y, y, scale);
  }
}

// Two at a time: eight spare registers hold no more, and out-of-order execution does the rest.
void VnniKernels::Generator::gelu(const Kind& kind) {
  mov(rsi, reinterpret_cast<std::size_t>(&kGeluConstants));
  vbroadcastss(spare(6), ptr[rsi + offsetof(GeluConstants, scale)]);
  vbroadcastss(spare(7), ptr[rsi + offsetof(GeluConstants, polynomial)]);
  const int n_sums = kind.rows * kind.blocks;
  for (int first = 0; first < n_sums; first += 2) {
    const Xbyak::Zmm x[2] = {Xbyak::Zmm(first), Xbyak::Zmm(first + 1)};
    gelu_of(x, std::min(n_sums - first, 2));
  }
}

// canonical::gelu, in place.
void VnniKernels::Generator::gelu_of(const Xbyak::Zmm* x, int count) {
  const Xbyak::Zmm y[2] = {spare(0), spare(1)};
  const Xbyak::Zmm u[2] = {spare(2), spare(3)};
  const Xbyak::Zmm p[2] = {spare(4), spare(5)};
  const auto constant = [this](std::size_t offset) { return ptr_b[rsi + offset]; };
  const auto each = [count](auto&& instruction) {
    for (int i = 0; i < count; ++i) instruction(i);
  };
  each([&](int i) { vmaxps(y[i], x[i], constant(offsetof(GeluConstants, low))); });
  each([&](int i) { vminps(y[i], y[i], constant(offsetof(GeluConstants, high))); });
  each([&](int i) { vmulps(u[i], y[i], y[i]); });
  each([&](int i) { vfmadd213ps(u[i], spare(6), constant(offsetof(GeluConstants, minus_one))); });
  each([&](int i) { vmovaps(p[i], spare(7)); });
  for (std::size_t term = 1; term < canonical::kGelu.size(); ++term) {
    const std::size_t offset = offsetof(GeluConstants, polynomial) + term * sizeof(float);
    each([&](int i) { vfmadd213ps(p[i], u[i], constant(offset)); });
  }
  each([&](int i) { vfmadd213ps(y[i], p[i], constant(offsetof(GeluConstants, half))); });
  each([&](int i) { vmaxps(y[i], y[i], constant(offsetof(GeluConstants, zero))); });
  each([&](int i) { vminps(y[i], y[i], constant(offsetof(GeluConstants, one))); });
  each([&](int i) { vmulps(x[i], x[i], y[i]); });
}

void VnniKernels::Generator::put(const Kind& kind) {
  for (int row = 0; row < kind.rows; ++row) {
    for (int block = 0; block < kind.blocks; ++block) {
      const Xbyak::Zmm y = sum(kind, row, block);
      const Xbyak::Address dst = ptr[row_of(rax, row) + 64 * block];
      if (kind.end == TileEnd::add) vaddps(y, y, dst);
      vmovups(dst, y);
    }
  }
}

VnniKernels::VnniKernels() {
  try {
    generator_ = std::make_unique<Generator>();
    for (std::size_t end = 0; end < kTileEnds; ++end) {
      for (std::size_t row = 0; row < kVnniTileRows; ++row) {
        for (std::size_t block = 0; block < kVnniTileBlocks; ++block) {
          tiles_[end][row][block] = generator_->tile(
              static_cast<TileEnd>(end), static_cast<int>(row) + 1, static_cast<int>(block) + 1);
        }
      }
    }
    generator_->setProtectModeRE();
  } catch (const Xbyak::Error& error) {
    throw Error(ErrorCode::unavailable,
                std::string("the AVX-512 kernels are generated when a model is opened, and this "
                            "system grants no memory for that (") +
                    error.what() +
                    "); allow executable memory, or set ESPALIER_MAX_ISA=avx2 for kernels that "
                    "need none");
  }
}

VnniKernels::~VnniKernels() = default;

std::span<const std::uint8_t> VnniKernels::code() const noexcept {
  return {generator_->getCode(), generator_->getSize()};
}

const VnniKernels& vnni_kernels() {
  static const VnniKernels kernels;
  return kernels;
}

}  // namespace espalier::runtime::cpu
