#include "base/keyed_permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "rhohat/error.h"

namespace rhohat {
namespace {

KeyedPermutation Order(uint64_t seed, int64_t size, uint64_t index = 0) {
  return KeyedPermutation(seed, RandomPurpose::kRowSample, index, size);
}

std::vector<int64_t> Places(const KeyedPermutation& order) {
  std::vector<int64_t> places(static_cast<size_t>(order.size()));
  for (int64_t i = 0; i < order.size(); ++i) places[static_cast<size_t>(i)] = order(i);
  return places;
}

// How far counts are from an even spread, in standard deviations of the χ² distribution.
double Unevenness(const std::vector<double>& counts) {
  const double cells = static_cast<double>(counts.size());
  const double expected = std::accumulate(counts.begin(), counts.end(), 0.0) / cells;
  double chi_squared = 0;
  for (const double count : counts) {
    chi_squared += (count - expected) * (count - expected) / expected;
  }
  return (chi_squared - (cells - 1)) / std::sqrt(2 * (cells - 1));
}

TEST(KeyedPermutation, IsABijectionOfEverySize) {
  for (int64_t size = 1; size <= 300; ++size) {
    std::vector<int64_t> places = Places(Order(5, size));
    std::sort(places.begin(), places.end());
    for (int64_t i = 0; i < size; ++i) ASSERT_EQ(places[static_cast<size_t>(i)], i) << size;
  }
}

TEST(KeyedPermutation, SendsNoTwoNumbersToOnePlaceAtAnySize) {
  for (const int64_t size :
       {int64_t{1}, int64_t{2}, int64_t{63}, int64_t{64}, int64_t{65}, int64_t{60'000},
        int64_t{1} << 40, (int64_t{1} << 61) + 1, int64_t{1} << 62}) {
    const KeyedPermutation order = Order(9, size);
    std::map<int64_t, int64_t> from;
    for (int64_t k = 0; k < 200; ++k) {
      const int64_t i = size > 200 ? k * (size / 200) : k % size;
      const int64_t place = order(i);
      ASSERT_GE(place, 0);
      ASSERT_LT(place, size);
      ASSERT_EQ(from.try_emplace(place, i).first->second, i) << size;
    }
  }
}

TEST(KeyedPermutation, GivesThePermutationsOfAFewNumbersEquallyOften) {
  std::map<std::vector<int64_t>, double> seen;
  for (uint64_t seed = 0; seed < 24'000; ++seed) seen[Places(Order(seed, 4))] += 1;
  ASSERT_EQ(seen.size(), 24);
  std::vector<double> counts;
  for (const auto& [places, count] : seen) counts.push_back(count);
  EXPECT_LT(std::abs(Unevenness(counts)), 4);
}

TEST(KeyedPermutation, SendsEveryNumberEverywhereEquallyOften) {
  constexpr size_t kSize = 37;
  std::vector<double> counts(kSize * kSize);
  for (uint64_t index = 0; index < 4000; ++index) {
    const std::vector<int64_t> places = Places(Order(1, kSize, index));
    for (size_t i = 0; i < kSize; ++i) counts[i * kSize + static_cast<size_t>(places[i])] += 1;
  }
  EXPECT_LT(std::abs(Unevenness(counts)), 4);
}

// Neighbours, or numbers a power of two apart, must not stay in step: where two of them go, each in
// one of ten parts, is to be an even spread over a hundred cells.
TEST(KeyedPermutation, SendsNeighboursToUnrelatedPlaces) {
  constexpr int64_t kSize = 60'000;
  for (const int64_t distance : {1, 2, 7, 256, 1024}) {
    std::vector<double> counts(100);
    const KeyedPermutation order = Order(3, kSize);
    for (int64_t i = 0; i + distance < kSize; ++i) {
      const int64_t here = order(i) * 10 / kSize;
      const int64_t there = order(i + distance) * 10 / kSize;
      counts[static_cast<size_t>(here * 10 + there)] += 1;
    }
    EXPECT_LT(std::abs(Unevenness(counts)), 4) << distance;
  }
}

// What a sample needs: of each tenth of the rows, such as a class in sorted data, about a tenth of
// the first k places.
TEST(KeyedPermutation, FillsItsFirstPlacesFromAllParts) {
  constexpr int64_t kSize = 1'000'000;
  std::vector<double> counts(10);
  const KeyedPermutation order = Order(2, kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    if (order(i) < 5000) counts[static_cast<size_t>(i * 10 / kSize)] += 1;
  }
  EXPECT_LT(std::abs(Unevenness(counts)), 4);
}

TEST(KeyedPermutation, DependsOnSeedPurposeIndexAndSize) {
  const std::vector<int64_t> places = Places(Order(7, 100));
  EXPECT_EQ(places, Places(Order(7, 100)));
  EXPECT_NE(places, Places(Order(8, 100)));
  EXPECT_NE(places, Places(Order(7 + (uint64_t{1} << 32), 100)));
  EXPECT_NE(places, Places(Order(7, 100, 1)));
  EXPECT_NE(places, Places(KeyedPermutation(7, RandomPurpose::kBatchOrder, 0, 100)));
  std::vector<int64_t> of_one_more = Places(Order(7, 101));
  of_one_more.pop_back();
  EXPECT_NE(places, of_one_more);
}

TEST(KeyedPermutation, RefusesASizeThatItCannotHave) {
  for (const int64_t size : {int64_t{-1}, int64_t{0}, (int64_t{1} << 62) + 1}) {
    EXPECT_THROW(Order(1, size), Error) << size;
  }
}

}  // namespace
}  // namespace rhohat
