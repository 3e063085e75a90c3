// Keeps descriptors 0, 1 and 2 what they are meant for.
#pragma once

namespace rhohat {

// A program may be started with standard streams closed. The next file opened would then become
// standard output, and results would be printed into the middle of it. Opens those that are closed
// in a way that makes every write to them fail.
void OpenStandardStreams();

}  // namespace rhohat
