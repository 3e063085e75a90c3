// What a model is, in lines for a person.
#pragma once

#include <string>

namespace rhohat {

// "  name          value\n", as all descriptions of files have it.
std::string DescriptionLine(const std::string& name, const std::string& value);

// Throws as LoadModel() does.
std::string DescribeModel(const std::string& file);

}  // namespace rhohat
