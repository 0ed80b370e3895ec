// SPDX-License-Identifier: MIT
// The report in its file below /run.
#pragma once

#include "boot/boot_id.hpp"
#include "boot/report.hpp"

namespace earlyseed {

// What an earlier call wrote in this boot; an empty report of this boot when there is none.
void read_report(const Boot& boot, Report& report);
Status write_report(Report& report);

}  // namespace earlyseed
