#include "compress/export/stamp.hpp"

#include "format/reader.hpp"
#include "format/writer.hpp"

namespace espalier::compress {

void write_stamped(const std::filesystem::path& model, const std::filesystem::path& output,
                   const Stamp& stamp, Overwrite overwrite) {
  const format::ModelFile file = format::ModelFile::open(model);
  format::ModelSpec spec = file.spec();  // views into the file
  spec.provenance.insert(spec.provenance.begin(), stamp.before.begin(), stamp.before.end());
  spec.provenance.insert(spec.provenance.end(), stamp.after.begin(), stamp.after.end());
  format::write_model(spec, output, overwrite);
}

}  // namespace espalier::compress
