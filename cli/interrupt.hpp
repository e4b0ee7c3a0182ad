#pragma once
#include <atomic>

namespace ydot::cli {

/// From now on Ctrl-C and SIGTERM set the flag returned: the first asks for an orderly end; the second ends the program at once.
const std::atomic<bool>& catch_interrupts();

}  // namespace ydot::cli
