// Other formats to HDF5: looks at every input first, so that what cannot work fails before anything
// is written, then copies block after block.
#include "rhohat/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "base/atomic_file.h"
#include "base/text.h"
#include "base/units.h"
#include "convert/encode_elements.h"
#include "convert/open_rows.h"
#include "convert/row_encoder.h"
#include "data/hdf5_writer.h"
#include "rhohat/error.h"

namespace rhohat {
namespace {

namespace fs = std::filesystem;

// Rows read, converted and written at a time.
constexpr int64_t kBlockBytes = int64_t{4} << 20;
// HDF5 counts the bytes of a chunk, which holds at least one row, in 32 bits.
constexpr int64_t kMostRowBytes = (int64_t{1} << 32) - 1;

// What all inputs have in common.
struct Survey {
  int64_t rows = 0;
  int64_t columns = 0;
  ElementType type;
  std::vector<int64_t> rows_of_input;
};

void Validate(const ConvertOptions& options) {
  std::vector<std::string> faults;
  if (options.inputs.empty()) faults.emplace_back("no input was given");
  if (options.output.empty()) faults.emplace_back("no output was given");
  if (options.dataset.find_first_not_of('/') == std::string::npos) {
    faults.emplace_back("--dataset: expected a name");
  }
  if (!std::isfinite(options.scale)) faults.emplace_back("--scale must be a finite number");
  if (options.chunk_rows < 0) faults.emplace_back("--chunk-rows must not be negative");
  if (!options.dtype.empty() && ParseElementType(options.dtype).big_endian) {
    faults.push_back(
        fmt::format("--dtype {}: outputs are little-endian; leave out -be", options.dtype));
  }
  if (!faults.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("cannot convert: {}", fmt::join(faults, "; ")));
  }
}

void CheckOutput(const ConvertOptions& options) {
  CheckNotAnInput(options.output, options.inputs);
  CheckCreatable(options.output);
  std::error_code ignored;
  if (!options.overwrite && fs::exists(options.output, ignored)) {
    throw Error(ErrorKind::kCannotCreate,
                fmt::format("{}: exists already; --overwrite replaces it", options.output));
  }
}

// Opens the inputs one at a time: there may be more of them than files may be open.
Survey SurveyInputs(const std::vector<std::string>& inputs) {
  Survey survey;
  for (const std::string& input : inputs) {
    const std::unique_ptr<RowSource> source = OpenRows(input);
    if (survey.rows_of_input.empty()) {
      survey.columns = source->columns();
      survey.type = source->type();
    }
    if (source->columns() != survey.columns) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: expected {} columns as in {}, found {}", input, survey.columns,
                              inputs.front(), source->columns()));
    }
    survey.type = CommonType(survey.type, source->type());
    survey.rows_of_input.push_back(source->rows());
    if (__builtin_add_overflow(survey.rows, source->rows(), &survey.rows)) {
      throw Error(ErrorKind::kBadData, fmt::format("{}: too many rows in all", input));
    }
  }
  return survey;
}

ElementType OutputType(const ConvertOptions& options, const Survey& survey) {
  if (!options.dtype.empty()) return ParseElementType(options.dtype);
  if (options.scale != 0) return {ElementKind::kFloat32, false};
  return {survey.type.kind, false};
}

void CheckRowFits(const ConvertOptions& options, const Survey& survey, ElementType type) {
  const int64_t row_bytes = CheckedProduct(survey.columns, static_cast<int64_t>(ElementBytes(type)),
                                           options.inputs.front());
  if (row_bytes <= kMostRowBytes) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected rows below 4 GiB, the most that HDF5 keeps in a chunk, "
                          "found {} columns of {}",
                          options.inputs.front(), survey.columns, ElementName(type)));
}

class Copier {
 public:
  Copier(const ConvertOptions& options, const Survey& survey, ElementType type,
         const RunControl& control)
      : options_(options),
        survey_(survey),
        control_(control),
        encoder_(type.kind, options.scale),
        writer_(options.output, {.dataset = options.dataset,
                                 .type = type,
                                 .rows = survey.rows,
                                 .columns = survey.columns,
                                 .chunk_rows = options.chunk_rows}) {
    const int64_t element_bytes =
        static_cast<int64_t>(std::max(ElementBytes(type), ElementBytes(survey.type)));
    block_rows_ = std::max<int64_t>(1, kBlockBytes / (survey.columns * element_bytes));
  }

  void CopyAll() {
    for (size_t i = 0; i < options_.inputs.size(); ++i) CopyInput(i);
    if (options_.scale != 0) writer_.SetAttribute("scale", fmt::format("{}", options_.scale));
    writer_.Commit();
  }

 private:
  void CopyInput(size_t index) {
    const std::unique_ptr<RowSource> source = OpenRows(options_.inputs[index]);
    const int64_t rows = survey_.rows_of_input[index];
    if (source->rows() != rows || source->columns() != survey_.columns) {
      throw Error(ErrorKind::kBadData,
                  fmt::format("{}: has changed while it was converted", options_.inputs[index]));
    }
    for (int64_t begin = 0; begin < rows; begin += block_rows_) {
      CopyBlock(*source, {begin, std::min(begin + block_rows_, rows)});
    }
  }

  void CopyBlock(RowSource& source, RowRange range) {
    if (control_.stop_requested()) {
      throw Stopped(fmt::format("stopped after {} of {} rows; {} was not written", rows_done_,
                                survey_.rows, options_.output));
    }
    source.Fetch(range, raw_);
    writer_.Append(encoder_.Encode(source, raw_));
    rows_done_ += range.size();
    if (control_.observer != nullptr) control_.observer->OnRows(rows_done_, survey_.rows);
  }

  const ConvertOptions& options_;
  const Survey& survey_;
  const RunControl& control_;
  RowEncoder encoder_;
  Hdf5Writer writer_;
  int64_t block_rows_ = 1;
  int64_t rows_done_ = 0;
  RawRows raw_;
};

}  // namespace

ConvertResult Convert(const ConvertOptions& options, const RunControl& control) {
  Validate(options);
  CheckOutput(options);
  const Survey survey = SurveyInputs(options.inputs);
  const ElementType type = OutputType(options, survey);
  CheckRowFits(options, survey, type);
  Copier(options, survey, type, control).CopyAll();
  return {.rows = survey.rows,
          .columns = survey.columns,
          .type = ElementName(type),
          .bytes_written = fs::file_size(options.output)};
}

}  // namespace rhohat
