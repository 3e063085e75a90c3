#include "data/chunk_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rhohat {
namespace {

using Lengths = std::vector<int64_t>;

int64_t ProductFrom(const Lengths& lengths, size_t first) {
  int64_t product = 1;
  for (size_t axis = first; axis < lengths.size(); ++axis) product *= lengths[axis];
  return product;
}

// For every column: which chunk of a band holds it, and at which element of the chunk's row; by
// counting indices up one after another.
struct Place {
  int64_t chunk;
  int64_t element;
  friend bool operator==(const Place&, const Place&) = default;
};

std::vector<Place> NaivePlaces(const Lengths& shape, const Lengths& chunk) {
  std::vector<Place> places;
  for (int64_t column = 0; column < ProductFrom(shape, 1); ++column) {
    Place place = {0, 0};
    for (size_t axis = 1; axis < shape.size(); ++axis) {
      const int64_t index = column / ProductFrom(shape, axis + 1) % shape[axis];
      const int64_t chunks = (shape[axis] + chunk[axis] - 1) / chunk[axis];
      place.chunk = place.chunk * chunks + index / chunk[axis];
      place.element = place.element * chunk[axis] + index % chunk[axis];
    }
    places.push_back(place);
  }
  return places;
}

std::vector<Place> PlacesOf(const ChunkGrid& grid, int64_t columns) {
  std::vector<Place> places(static_cast<size_t>(columns), {-1, -1});
  for (int64_t chunk = 0; chunk < grid.chunks_in_band(); ++chunk) {
    for (const ChunkRun& run : grid.runs(chunk)) {
      for (int64_t i = 0; i < run.columns; ++i) {
        Place& place = places[static_cast<size_t>(run.first_column + i)];
        EXPECT_EQ(place.chunk, -1) << "column " << run.first_column + i << " is there twice";
        place = {chunk, run.first_element + i};
      }
    }
  }
  return places;
}

TEST(ChunkGridTest, EveryColumnIsWhereCountingSaysWhateverTheShapes) {
  const std::vector<std::pair<Lengths, Lengths>> cases = {
      {{10, 12}, {3, 12}},           {{10, 12}, {3, 5}},
      {{10, 12}, {3, 100}},          {{10, 4, 6}, {2, 4, 6}},
      {{10, 4, 6}, {2, 3, 6}},       {{10, 4, 6}, {2, 4, 5}},
      {{10, 4, 6}, {2, 1, 1}},       {{10, 2, 3, 5}, {10, 2, 2, 5}},
      {{10, 2, 3, 5}, {4, 1, 3, 5}}, {{10, 2, 3, 5}, {4, 2, 3, 7}},
      {{10, 1, 1, 1}, {1, 1, 1, 1}}, {{7, 3, 1, 4}, {2, 2, 3, 4}},
  };
  for (const auto& [shape, chunk] : cases) {
    const ChunkGrid grid(shape, chunk);
    EXPECT_EQ(PlacesOf(grid, ProductFrom(shape, 1)), NaivePlaces(shape, chunk))
        << testing::PrintToString(shape) << " in " << testing::PrintToString(chunk);
    EXPECT_EQ(grid.bands(), (shape[0] + chunk[0] - 1) / chunk[0]);
    EXPECT_EQ(grid.elements_in_chunk_row(), ProductFrom(chunk, 1));
  }
}

TEST(ChunkGridTest, RunsAreAsLongAsTheyCanBe) {
  EXPECT_EQ(ChunkGrid({10, 4, 6}, {2, 4, 6}).runs(0).size(), 1U);
  EXPECT_EQ(ChunkGrid({10, 4, 6}, {2, 3, 6}).runs(0).size(), 1U);
  EXPECT_EQ(ChunkGrid({10, 4, 6}, {2, 4, 5}).runs(0).size(), 4U);
  EXPECT_EQ(ChunkGrid::RunsInRow({10, 4, 6}, {2, 4, 5}), 8);
  EXPECT_EQ(ChunkGrid::RunsInRow({10, 1 << 30, 1 << 20}, {1, 1 << 30, 1}), 0x1p50);
}

TEST(ChunkGridTest, KnowsTheChunksThatReachOverTheEdge) {
  const ChunkGrid grid({10, 4, 6}, {2, 3, 6});
  ASSERT_EQ(grid.chunks_in_band(), 2);
  EXPECT_FALSE(grid.IsPartial(0));
  EXPECT_TRUE(grid.IsPartial(1));
}

}  // namespace
}  // namespace rhohat
