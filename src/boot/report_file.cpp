// SPDX-License-Identifier: MIT
#include "boot/report_file.hpp"

#include "system/files.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

void read_report(const Boot& boot, Report& report) {
    char buffer[sizeof(ReportText)];
    auto text = kernel::read_text(kReportPath, buffer);
    parse_report(text ? *text : std::string_view{}, boot.text, report);
}

Status write_report(Report& report) {
    ReportText text;
    format_report(report, Format::lines, text);
    return kernel::write_text(kReportPath, text, 0644);
}

}  // namespace earlyseed
