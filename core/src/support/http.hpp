// cpp-httplib, with the definitions that Debian compiled its library with: they change its classes, so that
// every file that includes it must see the same.
#pragma once

#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include <httplib.h>
