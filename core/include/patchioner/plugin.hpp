// The border between the host and a plugin: one C function that returns plain data. The host reads it and
// refuses a mismatch with a sentence that names both sides before any C++ object crosses.
//
// A plugin is one shared library with, in one source file:
//
//     PATCHIONER_PLUGIN(backbone, my_vit, "1.0", "My vision transformer", MyVit, MyVitOptions)
//
// where MyVit has a constructor MyVit(MyVitOptions, const PluginContext&) and
// `declare(ParameterList<MyVitOptions>&)` is visible beside MyVitOptions.
//
// Rules: a library is never unloaded once it was opened, and it outlives every object and exception that came
// from it. No static constructor has an effect. No class derived from torch::nn::Module crosses the border. A
// plugin logs through log.hpp, never prints, never exits.
#pragma once

#include <ATen/ATen.h>
#include <torch/version.h>

#include <cstdint>
#include <patchioner/aggregator.hpp>
#include <patchioner/backbone.hpp>
#include <patchioner/decoder.hpp>
#include <patchioner/error.hpp>
#include <patchioner/gap.hpp>
#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>
#include <string>

/// Counts up with every change of the headers in this folder that an already built plugin would notice.
#define PATCHIONER_SDK_VERSION 3

/// "Patchion", little-endian: tells a Patchioner plugin from any other library that happens to export the
/// symbol.
#define PATCHIONER_PLUGIN_MAGIC 0x6e6f696863746150ull

#define PATCHIONER_STRINGIFY_(x) #x
#define PATCHIONER_STRINGIFY(x) PATCHIONER_STRINGIFY_(x)

/// libstdc++'s checking containers have another layout than its ordinary ones.
#ifdef _GLIBCXX_DEBUG
#define PATCHIONER_BUILD_KIND_ " glibcxx-debug"
#else
#define PATCHIONER_BUILD_KIND_ ""
#endif

/// What must be equal on both sides for C++ objects to cross: compiler ABI, string ABI, LibTorch, containers.
#define PATCHIONER_BUILD_FINGERPRINT                                                             \
  "itanium-abi-" PATCHIONER_STRINGIFY(__GXX_ABI_VERSION) " cxx11-strings-" PATCHIONER_STRINGIFY( \
      _GLIBCXX_USE_CXX11_ABI) " libtorch-" TORCH_VERSION PATCHIONER_BUILD_KIND_

namespace patchioner {

/// Numbers are part of the descriptor and stay.
enum class PluginKind : uint32_t { backbone = 1, aggregator = 2, gap = 3, decoder = 4 };

/// "backbone", "aggregator", "gap" or "decoder": the section of a config.
std::string_view to_string(PluginKind kind);

/// Where and how a plugin is to compute. Interfaces stay float32; a plugin may compute in another precision
/// inside.
struct PluginContext {
  at::Device device = at::kCPU;           ///< where weights lie and the work is done
  at::ScalarType precision = at::kFloat;  ///< float32 (the reference) or bfloat16
};

}  // namespace patchioner

extern "C" {

/// Plain data. The first four fields never change place, so that any host can read any plugin's.
struct PatchionerPluginDescriptor {
  uint64_t magic;                 ///< PATCHIONER_PLUGIN_MAGIC
  uint32_t sdk_version;           ///< PATCHIONER_SDK_VERSION of the headers it was built with
  uint32_t kind;                  ///< patchioner::PluginKind
  const char* build_fingerprint;  ///< PATCHIONER_BUILD_FINGERPRINT
  const char* name;               ///< as the config names it: letters, digits, '_' ; unique within its kind
  const char* version;            ///< the plugin's own
  const char* summary;            ///< one line
  const char* (*parameter_schema)(void);  ///< JSON text (schema_to_json); lives as long as the library
  const char* (*notes)(void);             ///< JSON text (notes_to_json); lives as long as the library
  /// Makes an object of the interface of `kind` from validated options; called only after the checks. The
  /// result is owned by the caller and deleted through the interface's virtual destructor. Throws
  /// patchioner::Error.
  void* (*create)(const void* options /* patchioner::Value */,
                  const void* context /* patchioner::PluginContext */);
};

/// The one exported symbol.
const PatchionerPluginDescriptor* patchioner_plugin_descriptor(void);
}

namespace patchioner::detail {
using backbone_interface = Backbone;
using aggregator_interface = Aggregator;
using gap_interface = Gap;
using decoder_interface = Decoder;
}  // namespace patchioner::detail

/// Makes the library a plugin; stands once in it, outside of any namespace. KIND is backbone, aggregator, gap
/// or decoder; NAME is a bare word, which the file has as well (NAME.so); VERSION and SUMMARY are texts;
/// CLASS has a constructor CLASS(OPTIONS, const PluginContext&), and `declare(ParameterList<OPTIONS>&)` is
/// found beside OPTIONS.
#define PATCHIONER_PLUGIN(KIND, NAME, VERSION, SUMMARY, CLASS, OPTIONS)                                      \
  extern "C" __attribute__((visibility("default"))) const PatchionerPluginDescriptor*                        \
  patchioner_plugin_descriptor() {                                                                           \
    static const PatchionerPluginDescriptor descriptor = {                                                   \
        PATCHIONER_PLUGIN_MAGIC,                                                                             \
        PATCHIONER_SDK_VERSION,                                                                              \
        static_cast<uint32_t>(::patchioner::PluginKind::KIND),                                               \
        PATCHIONER_BUILD_FINGERPRINT,                                                                        \
        #NAME,                                                                                               \
        VERSION,                                                                                             \
        SUMMARY,                                                                                             \
        []() -> const char* {                                                                                \
          static const std::string json = ::patchioner::schema_to_json(::patchioner::schema_of<OPTIONS>());  \
          return json.c_str();                                                                               \
        },                                                                                                   \
        []() -> const char* {                                                                                \
          static const std::string json = ::patchioner::notes_to_json(::patchioner::notes_of<OPTIONS>());    \
          return json.c_str();                                                                               \
        },                                                                                                   \
        [](const void* options, const void* context) -> void* {                                              \
          ::patchioner::detail::KIND##_interface* object = new CLASS(                                        \
              ::patchioner::read_options<OPTIONS>(*static_cast<const ::patchioner::Value*>(options), #KIND), \
              *static_cast<const ::patchioner::PluginContext*>(context));                                    \
          return object;                                                                                     \
        }};                                                                                                  \
    return &descriptor;                                                                                      \
  }
