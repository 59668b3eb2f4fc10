// BERT's encoder, written once over the five steps of a back end (Devlin et al. 2019, §3).
#pragma once

#include <cstdint>

#include "runtime/backend.hpp"

namespace espalier::runtime {

/// Carries `rows` of `block` through the embedding and `n_layers` layers. The last layer computes
/// only the rows of `last_layer`, so after first_of_each the workspace holds one row for each
/// sentence that begins in `rows`. When `rows` is a part of the block, all members of the
/// workspace's team call this at the same time with ranges that cover it, none of them the whole.
/// Allocates nothing and does not throw.
void encode(const Backend& backend, Workspace& workspace, std::uint32_t n_layers,
            const TokenBlock& block, RowRange rows, Rows last_layer);

}  // namespace espalier::runtime
