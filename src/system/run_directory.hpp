// SPDX-License-Identifier: MIT
// What is kept until the next boot, below /run.
#pragma once

namespace earlyseed {

inline constexpr const char* kRunDirectory = "/run/earlyseed";
inline constexpr const char* kReportPath = "/run/earlyseed/report";
inline constexpr const char* kLockPath = "/run/earlyseed/lock";
inline constexpr const char* kForgottenPath = "/run/earlyseed/forgotten";  // forget was run in this boot: save nothing
inline constexpr const char* kDoubtNotePath = "/run/earlyseed/in-doubt";   // a slot whose write or flush failed
inline constexpr const char* kMountPoint = "/run/earlyseed/mnt";           // of a store's own file system

}  // namespace earlyseed
