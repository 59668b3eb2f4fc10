#include "runtime/encoder.hpp"

namespace espalier::runtime {

void encode(const Backend& backend, Workspace& workspace, std::uint32_t n_layers,
            const TokenBlock& block, RowRange rows, Rows last_layer) {
  backend.embed(workspace, block, rows);
  for (std::uint32_t layer = 0; layer < n_layers; ++layer) {
    const Rows computed = layer + 1 == n_layers ? last_layer : Rows::all;
    backend.attend(workspace, layer, computed);
    backend.project_add_norm(workspace, layer, computed);
    backend.feed_forward_add_norm(workspace, layer, computed);
  }
}

}  // namespace espalier::runtime
