// What multiplies tiles of bfloat16: the unit of matrices (AMX), instructions for pairs
// (AVX512-BF16), or neither.
#pragma once

namespace tallow {

enum class TileUnit { plain, pairs, amx };

// The best that this processor and system have, or less where that was asked for. AMX is asked of
// the system at the first call.
TileUnit tile_unit();

// Asks for no more than this; false where it is not there. For tests.
bool limit_tiles(TileUnit most);

}  // namespace tallow
