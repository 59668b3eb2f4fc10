// A profile as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "profile_causes.hpp"

namespace espalier::tools {

/// Tables and causes, for a terminal; the last line is the action.
[[nodiscard]] std::string profile_text(const ProfileRequest& request, const Profile& profile,
                                       const std::vector<Cause>& causes);

[[nodiscard]] nlohmann::ordered_json profile_json(const ProfileRequest& request,
                                                  const Profile& profile,
                                                  const std::vector<Cause>& causes);

}  // namespace espalier::tools
