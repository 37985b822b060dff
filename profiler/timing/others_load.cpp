// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/others_load.h"

#include <algorithm>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace zigzag {

OthersLoad::OthersLoad()
    : m_last(spentNow())
{ }

OthersLoad::Spent OthersLoad::spentNow()
{
    Spent now;
    now.at = std::chrono::steady_clock::now();
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return now;
    const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);) { // "cpu3 user nice system idle iowait irq softirq steal …"
        std::istringstream fields(line);
        std::string name;
        fields >> name;
        if (name.size() < 4 || name.compare(0, 3, "cpu") != 0 || name.find_first_not_of("0123456789", 3) != name.npos)
            continue;
        const unsigned long index = std::stoul(name.substr(3, 6));
        double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0;
        if (index >= CPU_SETSIZE || !CPU_ISSET(index, &allowed)
            || !(fields >> user >> nice >> system >> idle >> waiting >> interrupts >> soft >> stolen))
            continue;
        now.busy += tick * (user + nice + system + interrupts + soft + stolen);
        ++now.processors;
    }
    if (rusage usage{}; getrusage(RUSAGE_SELF, &usage) == 0) {
        const auto seconds
            = [](const timeval &time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
        now.own = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    return now;
}

double OthersLoad::look()
{
    const Spent now = spentNow(), before = m_last;
    m_last = now;
    const double seconds = std::chrono::duration<double>(now.at - before.at).count() * now.processors;
    if (now.processors == 0 || now.processors != before.processors || seconds <= 0)
        return 0;
    return std::clamp((now.busy - before.busy - (now.own - before.own)) / seconds, 0.0, 1.0);
}

} // namespace zigzag
