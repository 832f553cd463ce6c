// The compiled part of {fmt}, once for the whole runtime library.
//
// LibTorch ships its own, newer fmt headers, which come first in the include path; the system's compiled
// libfmt does not match them. Used header-only, they cost every translation unit three to five seconds;
// compiled here from the same headers, nothing.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template FMT_API dragonbox::decimal_fp<float> dragonbox::to_decimal(float x) noexcept;
template FMT_API dragonbox::decimal_fp<double> dragonbox::to_decimal(double x) noexcept;
template FMT_API thousands_sep_result<char> thousands_sep_impl(locale_ref);
template FMT_API char decimal_point_impl(locale_ref);
template FMT_API void buffer<char>::append(const char*, const char*);

}  // namespace detail
FMT_END_NAMESPACE
