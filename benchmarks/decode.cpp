// The peer of the RAW decoder: the same format into the same maps, as one would write it in C++.
//
//   decode CABLING SWAP L M FILE...
//
// CABLING has a line "rod fibre wafer" for every link, SWAP a 0 or 1 for every wafer. Prints the
// number of events, the sum of the hit map, of the chip map and of the window maps, the number of
// errors, and the seconds of the clock and of the processor that decoding took. Uncompressed files
// of format 5.0 or 4.0.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <unordered_map>
#include <vector>

namespace {

constexpr int kWafers = 8176, kStrips = 768, kChips = 6, kFibres = 96;

enum Error {
  Parse, TimeOut, Bcid, Lvl1, Preamble, Formatter, TrailerBit, Overflow, Limit, Abcd, Raw, Masked,
  Clock, Truncated, RobFragment, MissingHeader, MaskedRod, Chip0, Error1 = 23, Error2, Error4,
  TempMasked0, Error7 = 32, Invalid, Simulated
};

struct Group {
  uint16_t wafer, strip;
  uint8_t size, timeBin, errors;
};

struct Maps {
  std::vector<uint32_t> counts = std::vector<uint32_t>(size_t(kWafers) * kStrips);
  std::vector<uint32_t> chips;
  std::vector<uint16_t> windows;
  std::vector<uint64_t> carries;
  std::vector<int64_t> lbEvents;
  std::vector<int64_t> stripBlock = std::vector<int64_t>(kWafers);
  std::vector<int64_t> errors = std::vector<int64_t>(size_t(kWafers) * 16);
  int64_t nEvents = 0;
};

class Decoder {
 public:
  Decoder(int nBlocks, int perWindow)
      : nBlocks_(nBlocks), perWindow_(perWindow), nWindows_((nBlocks + perWindow - 1) / perWindow) {
    maps.chips.resize(size_t(nBlocks + 2) * kWafers * kChips);
    maps.windows.resize(size_t(nWindows_ + 2) * kWafers * kStrips);
    maps.lbEvents.resize(nBlocks + 2);
    errorWords_.resize(kWafers);
  }

  void cable(uint32_t rod, int fibre, int wafer) {
    auto& row = cabling_.try_emplace(rod, std::vector<int16_t>(kFibres, -1)).first->second;
    row[fibre] = int16_t(wafer);
  }
  void swap(int wafer, bool value) { swap_[wafer] = value; }

  bool event(const uint32_t* w, size_t n);

  Maps maps;

 private:
  void rod(const uint32_t* rob, size_t n);
  void data(const uint32_t* w, size_t n, const std::vector<int16_t>& wafers, bool superCondensed);
  void abcd(uint16_t word, int wafer);
  void masked(int first, int wafer);
  void make(int wafer, int strip, int size, int timeBin, int errors);
  void fill(uint32_t block);

  void error(int wafer, Error kind) {
    if (wafer < 0) return;
    if (!errorWords_[wafer]) touched_.push_back(wafer);
    errorWords_[wafer] |= uint64_t(1) << kind;
  }
  void rodError(const std::vector<int16_t>& wafers, Error kind) {
    for (int wafer : wafers) error(wafer, kind);
  }

  int nBlocks_, perWindow_, nWindows_;
  std::unordered_map<uint32_t, std::vector<int16_t>> cabling_;
  bool swap_[kWafers] = {};
  std::vector<uint64_t> errorWords_;
  std::vector<int> touched_;
  std::vector<Group> groups_;
  int unknown_ = 0;
};

void Decoder::make(int wafer, int strip, int size, int timeBin, int errors) {
  if (wafer < 0) {
    ++unknown_;
    return;
  }
  if ((strip & 127) + size > 128) {
    error(wafer, Parse);
    return;
  }
  int first = swap_[wafer] ? kStrips - 1 - strip - (size - 1) : strip;
  groups_.push_back({uint16_t(wafer), uint16_t(first), uint8_t(size), uint8_t(timeBin),
                     uint8_t(errors)});
}

void Decoder::abcd(uint16_t word, int wafer) {
  if (wafer < 0) return;
  int chip = (word >> 3) & 15, code = word & 7;
  if (code != 1 && code != 2 && code != 4 && code != 7) {
    error(wafer, Invalid);
  } else {
    wafer = (wafer & ~1) | (chip >> 3);
    if ((chip & 7) >= 6) {
      error(wafer, Invalid);
    } else {
      error(wafer, code == 1 ? Error1 : code == 2 ? Error2 : code == 4 ? Error4 : Error7);
      error(wafer, Error(Chip0 + (chip & 7)));
    }
  }
  error(wafer, Abcd);
}

void Decoder::masked(int first, int wafer) {
  if (wafer < 0 || first > 12) return;
  int side = first > 6, target = (wafer & ~1) | side;
  for (int chip = (first - 1) % 6; chip < 6; ++chip) error(target, Error(TempMasked0 + chip));
}

void Decoder::data(const uint32_t* w, size_t n, const std::vector<int16_t>& wafers,
                   bool superCondensed) {
  enum { Closed, Open, Dropping } state = Closed;
  int fibre = 0, wafer = -1, pending = -1, size = 0, hitErrors = 0, strip = 1 << 20;
  bool condensed = false, missing = false;
  auto flush = [&] {
    if (pending >= 0) make(wafer, pending & 0x3ff, size, 2, hitErrors);
    pending = -1;
  };
  for (size_t i = 0; i < 2 * n; ++i) {
    const uint16_t word = i & 1 ? w[i / 2] & 0xffff : w[i / 2] >> 16;
    if (word >> 13 == 1) {
      flush();
      hitErrors = 0;
      strip = 1 << 20;
      fibre = 12 * ((word >> 4) & 7) + (word & 15);
      if (fibre >= kFibres) {
        error(wafer, Parse);
        state = Dropping;
        continue;
      }
      state = Open;
      wafer = wafers[fibre];
      condensed = word & 0x100;
      if (word & 0x1e80 || (word & 15) > 11) {
        if (word & 0x1000) error(wafer, Preamble);
        if (word & 0x800) error(wafer, TimeOut);
        if (word & 0x400) error(wafer, Lvl1);
        if (word & 0x200) error(wafer, Bcid);
        if (word & 0x80) error(wafer, Masked);
        if ((word & 15) > 11) error(wafer, Formatter);
      }
    } else if (state == Dropping) {
      continue;
    } else if (word >> 13 == 2) {
      state = Closed;
      if (word & 0x1000) error(wafer, TrailerBit);
      if (word & 0x800) error(wafer, Limit);
      if (word & 0x400) error(wafer, Overflow);
      if (word & 15) masked(word & 15, wafer);
    } else if (state == Closed) {
      missing = true;
    } else if (word >> 13 == 3) {
      error(wafer, Raw);
    } else if (word >> 13 == 0) {
      abcd(word, wafer);
    } else {
      const bool inGroups = superCondensed || condensed;
      if (!inGroups && (word & 8)) {
        const int more = word & 0x80 ? 2 : 1;
        if (strip + more > kStrips - 1) {
          error(wafer, Parse);
          continue;
        }
        make(wafer, ++strip, 1, word & 7, 0);
        if (more == 2) make(wafer, ++strip, 1, (word >> 4) & 7, 0);
        continue;
      }
      const int position = (word >> 4) & 0x7ff;
      if ((position & 0x3ff) >= kStrips) {
        strip = 1 << 20;
        error(wafer, Parse);
        continue;
      }
      if (position != pending) flush();
      if (position >> 10 != (fibre & 1)) wafer = wafers[fibre ^= 1];
      if (!inGroups) {
        strip = position & 0x3ff;
        make(wafer, strip, 1, word & 7, 0);
        continue;
      }
      if (pending < 0) {
        pending = position;
        size = 0;
      }
      if (superCondensed) {
        size += (word & 15) + 1;
      } else if (word & 1) {
        size = 2;
        hitErrors |= (word & 4 ? 1 : 0) | (word & 8 ? 2 : 0);
      } else {
        size = std::max(size, 1);
        hitErrors |= word & 4 ? 1 : 0;
      }
    }
  }
  flush();
  if (missing) rodError(wafers, MissingHeader);
}

void Decoder::rod(const uint32_t* rob, size_t n) {
  const auto found = cabling_.find(rob[4] & 0xffffff);
  if (found == cabling_.end()) return;
  const size_t header = rob[2], nStatus = rob[5];
  if (nStatus > 64 || header != 7 + nStatus || header + 12 > n) return;
  const uint32_t* r = rob + header;
  const size_t size = n - header - (rob[6 + nStatus] ? 1 : 0);
  const uint64_t ns = r[size - 3], nd = r[size - 2];
  const bool after = r[size - 1] == 1;
  if (size < 12 || r[0] != 0xee1234ee || r[1] != 9 || r[2] >> 16 != 0x301 || 12 + ns + nd != size)
    return;
  const auto& wafers = found->second;
  if (r[8] & 1 << 20) rodError(wafers, Simulated);
  if (nStatus && rob[6]) {
    rodError(wafers, RobFragment);
    if (rob[6] & 1u << 27) return rodError(wafers, Truncated);
    if (rob[6] & (1u << 29 | 1u << 31)) return rodError(wafers, MaskedRod);
  }
  const uint32_t* status = after ? r + 9 + nd : r + 9;
  if (ns > 1 && status[1] & 3 << 16) rodError(wafers, Clock);
  data(after ? r + 9 : r + 9 + ns, nd, wafers, r[8] & 1 << 21);
}

bool Decoder::event(const uint32_t* w, size_t n) {
  if (n < 23 || w[0] != 0xaa1234aa || w[1] > n || w[2] > w[1]) return false;
  const bool is5 = w[3] >> 16 == 0x500;
  const size_t c = 6 + w[5];
  if (w[5] > 64 || c + 8 >= w[2]) return false;
  const uint32_t block = w[c + (is5 ? 7 : 6)] & 0xffff;
  for (int wafer : touched_) errorWords_[wafer] = 0;
  touched_.clear();
  groups_.clear();
  unknown_ = 0;
  const size_t end = w[1] - (w[c] ? 1 : 0);
  for (size_t at = w[2]; at < end;) {
    const size_t size = w[at + 1];
    if (w[at] != 0xdd1234dd || size < 7 || size > end - at) return false;
    rod(w + at, size);
    at += size;
  }
  if (unknown_ <= 10) fill(block);
  return true;
}

void Decoder::fill(uint32_t block) {
  for (int wafer : touched_)
    for (uint64_t bits = errorWords_[wafer]; bits; bits &= bits - 1)
      ++maps.errors[size_t(wafer) * 16 + std::min(__builtin_ctzll(bits), 15)];
  ++maps.nEvents;
  const size_t row = std::min<size_t>(block, nBlocks_ + 1);
  const size_t window = block == 0 ? 0 : std::min<size_t>((block - 1) / perWindow_, nWindows_) + 1;
  ++maps.lbEvents[row];
  uint32_t* chips = &maps.chips[row * kWafers * kChips];
  uint16_t* cells = &maps.windows[window * kWafers * kStrips];
  for (const Group& g : groups_) {
    const int readout = swap_[g.wafer] ? kStrips - 1 - g.strip : g.strip;
    chips[g.wafer * kChips + readout / 128] += g.size;
    if (block && block <= uint32_t(nBlocks_))
      maps.stripBlock[g.wafer] += block * (g.size * g.strip + g.size * (g.size - 1) / 2);
    for (int s = g.strip; s < g.strip + g.size; ++s) {
      const size_t cell = size_t(g.wafer) * kStrips + s;
      ++maps.counts[cell];
      if (!++cells[cell]) maps.carries.push_back(window * kWafers * kStrips + cell);
    }
  }
}

size_t string(const uint32_t* w) { return 1 + (w[0] + 3) / 4; }

void read(const char* path, Decoder& decoder) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint32_t> buffer(1 << 20);
  size_t have = 0, at = 0;
  bool first = true;
  while (true) {
    std::memmove(buffer.data(), &buffer[at], 4 * (have - at));
    have -= at;
    at = 0;
    file.read(reinterpret_cast<char*>(&buffer[have]), 4 * (buffer.size() - have));
    const size_t got = file.gcount() / 4;
    have += got;
    if (first) {
      if (buffer[0] != 0x1234aaaa) return;
      at = buffer[1] + 1;
      for (int i = 0; i < 2; ++i) at += string(&buffer[at]);
      if (buffer[at] == 0x1234aabc) {
        const uint32_t n = buffer[at + 1];
        at += 2;
        for (uint32_t i = 0; i < n; ++i) at += string(&buffer[at]);
      }
      at += buffer[at + 1];
      first = false;
    }
    while (have - at >= 4 && buffer[at] == 0x1234cccc) {
      const size_t n = buffer[at + 3] / 4;
      if (have - at < 4 + n) {
        if (4 + n > buffer.size()) buffer.resize(4 + n);
        break;
      }
      decoder.event(&buffer[at + 4], n);
      at += 4 + n;
    }
    if (!got) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 1;
  const std::clock_t cpu = std::clock();
  const auto start = std::chrono::steady_clock::now();
  auto* decoder = new Decoder(std::atoi(argv[3]), std::atoi(argv[4]));
  std::ifstream cabling(argv[1]), swap(argv[2]);
  uint32_t rod;
  for (int fibre, wafer; cabling >> rod >> fibre >> wafer;) decoder->cable(rod, fibre, wafer);
  for (int wafer = 0, value; swap >> value; ++wafer) decoder->swap(wafer, value);
  for (int i = 5; i < argc; ++i) read(argv[i], *decoder);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double processor = double(std::clock() - cpu) / CLOCKS_PER_SEC;
  const Maps& maps = decoder->maps;
  uint64_t hits = 0, chips = 0, windows = 65536 * maps.carries.size(), errors = 0;
  for (uint32_t n : maps.counts) hits += n;
  for (uint32_t n : maps.chips) chips += n;
  for (uint16_t n : maps.windows) windows += n;
  for (int64_t n : maps.errors) errors += n;
  std::printf("%lld %llu %llu %llu %llu %.6f %.6f\n", static_cast<long long>(maps.nEvents),
              static_cast<unsigned long long>(hits), static_cast<unsigned long long>(chips),
              static_cast<unsigned long long>(windows), static_cast<unsigned long long>(errors),
              seconds, processor);
}
