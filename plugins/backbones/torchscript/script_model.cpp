#include "script_model.hpp"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <mutex>
#include <patchioner/error.hpp>

#include "archive_check.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// The sentence within what LibTorch says: behind the interpreter's traceback, without the lines that follow.
std::string reason(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  const auto drop_last = [&text](std::string_view characters) {
    text.erase(text.find_last_not_of(characters) + 1);
  };
  drop_last("\n");
  // "...\nRuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"
  constexpr std::string_view kError = "Error: ";
  if (const size_t last = text.rfind(kError); last != std::string::npos && text.find('\n') < last) {
    text.erase(0, last + kError.size());
  }
  text = text.substr(0, text.find('\n'));
  drop_last(". ");
  return text;
}

void collect(const c10::IValue& value, const std::string& name, NamedTensors& found) {
  const auto inner = [&](const std::string& part) { return name.empty() ? part : name + "." + part; };
  if (value.isTensor()) {
    found.emplace_back(name.empty() ? "output" : name, value.toTensor());
  } else if (value.isTuple() || value.isList()) {
    const auto elements = value.isTuple() ? value.toTuple()->elements().vec() : value.toListRef().vec();
    for (size_t i = 0; i < elements.size(); ++i) {
      collect(elements[i], inner(std::to_string(i)), found);
    }
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      collect(entry.value(),
              inner(entry.key().isString() ? entry.key().toStringRef() : c10::str(entry.key())), found);
    }
  }
}

/// Whether a graph keeps something in its object, which two threads must not do at once.
bool writes_attributes(const torch::jit::Block& block) {
  return std::any_of(block.nodes().begin(), block.nodes().end(), [](const torch::jit::Node* node) {
    return node->kind() == c10::prim::SetAttr ||
           std::any_of(node->blocks().begin(), node->blocks().end(),
                       [](const torch::jit::Block* inner) { return writes_attributes(*inner); });
  });
}

bool writes_attributes(const torch::jit::Method& method) {
  const auto graph = method.graph()->copy();
  torch::jit::Inline(*graph);
  return writes_attributes(*graph->block());
}

/// "x: Tensor, mask: Optional[Tensor]": what is given besides the object.
std::string inputs_text(const c10::FunctionSchema& schema) {
  std::vector<std::string> inputs;
  for (size_t i = 1; i < schema.arguments().size(); ++i) {
    const c10::Argument& input = schema.arguments()[i];
    inputs.push_back(fmt::format("{}: {}", input.name(), input.type()->annotation_str()));
  }
  return fmt::format("{}", fmt::join(inputs, ", "));
}

/// Whether it can be called with one tensor.
bool takes_one_tensor(const c10::FunctionSchema& schema) {
  const auto& inputs = schema.arguments();  // the object itself first
  return inputs.size() >= 2 && c10::TensorType::get()->isSubtypeOf(*inputs[1].type()) &&
         std::all_of(inputs.begin() + 2, inputs.end(),
                     [](const c10::Argument& input) { return input.default_value().has_value(); });
}

void set_device(torch::jit::Block& block, at::Device device) {
  for (torch::jit::Node* node : block.nodes()) {
    if (node->kind() == c10::prim::Constant &&
        node->output()->type()->kind() == c10::TypeKind::DeviceObjType) {
      node->s_(c10::attr::value, device.str());
    }
    for (torch::jit::Block* inner : node->blocks()) {
      set_device(*inner, device);
    }
  }
}

/// Loading moves the weights; but tracing wrote into the code, too, on which device it made its tensors.
void set_device(const torch::jit::Module& module, at::Device device) {
  for (torch::jit::Function* function : module._ivalue()->compilation_unit()->get_functions()) {
    if (torch::jit::GraphFunction* code = torch::jit::tryToGraphFunction(*function)) {
      set_device(*code->graph()->block(), device);
    }
  }
}

void set_precision(torch::jit::Module& module, at::ScalarType precision) {
  // Not module.to(): that would turn integers into floating-point numbers too.
  const auto convert = [precision](const at::Tensor& tensor) {
    if (tensor.is_floating_point() && tensor.scalar_type() != precision) {
      tensor.set_data(tensor.to(precision));
    }
  };
  for (const at::Tensor& parameter : module.parameters()) {
    convert(parameter);
  }
  for (const at::Tensor& buffer : module.buffers()) {
    convert(buffer);
  }
}

/// What pixels have to be given in: as the weights, of which the first floating-point ones speak for all.
at::ScalarType input_precision(const torch::jit::Module& module, std::optional<at::ScalarType> precision) {
  if (precision) {
    return *precision;
  }
  for (const at::Tensor& parameter : module.parameters()) {
    if (parameter.is_floating_point()) {
      return parameter.scalar_type();
    }
  }
  return at::kFloat;
}

}  // namespace

struct ScriptModel::State {
  torch::jit::Module module;
  std::string name;  // of the file
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;  // of what it is given
  std::shared_ptr<std::mutex> writing = std::make_shared<std::mutex>();
};

struct ScriptMethod::State {
  torch::jit::Method method;
  std::string description;
  at::Device device;
  at::ScalarType precision;
  std::shared_ptr<std::mutex> writing;  // none: it keeps nothing
};

ScriptModel::ScriptModel(const std::filesystem::path& file, const std::string& option, at::Device device,
                         std::optional<at::ScalarType> precision) {
  require_script_archive(file, option);
  // Used by every later call, whatever mode the first one is in.
  const c10::InferenceMode ordinary(false);
  const at::NoGradGuard no_gradients;
  auto state = std::make_shared<State>();
  state->name = file.filename().string();
  try {
    state->module = torch::jit::load(file.string(), device);
  } catch (const std::exception& error) {
    throw Error(ErrorKind::checkpoint,
                "{}: LibTorch {} cannot open `{}`: {}; if it was exported by another version, or uses "
                "operators of an extension (torchvision's), export it anew by PyTorch {} from PyTorch's own "
                "operators",
                file.string(), TORCH_VERSION, option, reason(error), TORCH_VERSION);
  }
  state->module.eval();
  set_device(state->module, device);
  if (precision) {
    set_precision(state->module, *precision);
  }
  state->device = device;
  state->precision = input_precision(state->module, precision);
  state_ = std::move(state);
}

ScriptMethod ScriptModel::method(const std::string& name, const std::string& option,
                                 const std::string& input) const {
  const auto found = state_->module.find_method(name);
  std::vector<std::string> usable;
  std::vector<std::string> others;
  for (const torch::jit::Method& one : state_->module.get_methods()) {
    (takes_one_tensor(one.function().getSchema()) ? usable : others).push_back(one.name());
  }
  if (!found) {
    usable.insert(usable.end(), others.begin(), others.end());
    throw Error(ErrorKind::config, "{} has no method '{}', which `{}` names{}", state_->name, name, option,
                usable.empty() ? "; it has none at all" : suggestion(name, usable));
  }
  const c10::FunctionSchema& schema = found->function().getSchema();
  if (!takes_one_tensor(schema)) {
    throw Error(ErrorKind::config,
                "the method {} of {} takes ({}), but it is given nothing but {}; {}export a wrapper that "
                "takes them alone",
                name, state_->name, inputs_text(schema), input,
                usable.empty() ? std::string()
                               : fmt::format("set `{}` to {}, or ", option, fmt::join(usable, " or ")));
  }
  ScriptMethod method;
  method.state_ = std::make_shared<ScriptMethod::State>(
      ScriptMethod::State{*found, fmt::format("{} of {}", name, state_->name), state_->device,
                          state_->precision, writes_attributes(*found) ? state_->writing : nullptr});
  return method;
}

const std::string& ScriptMethod::description() const {
  return state_->description;
}

NamedTensors ScriptMethod::run(const at::Tensor& input) const {
  // As in a program of its own: tensors that it keeps, and those that it changes, are ordinary ones whatever
  // mode the caller is in.
  const c10::InferenceMode ordinary(false);
  const at::NoGradGuard no_gradients;
  // The graph as it was exported. What LibTorch makes of it after having watched the first calls was no
  // faster on a processor (DINOv2 ViT-S/14, ConvNeXt-T), and may round otherwise than the first calls did.
  const torch::jit::GraphOptimizerEnabledGuard as_exported(false);
  const at::Tensor own =
      input.to(state_->device, input.is_floating_point() ? state_->precision : input.scalar_type(),
               /*non_blocking=*/false, /*copy=*/true);
  c10::IValue result;
  try {
    const std::unique_lock lock =
        state_->writing != nullptr ? std::unique_lock(*state_->writing) : std::unique_lock<std::mutex>();
    result = state_->method({own});
  } catch (const std::exception& error) {
    throw Error(ErrorKind::data, "{} failed on an input of shape {} ({}): {}{}", description(),
                shape_text(input.sizes()), dtype_name(own.scalar_type()), reason(error),
                input.size(0) > 1 ? "; if it was traced for a single one, set `batch: 1`" : "");
  }
  NamedTensors found;
  collect(result, "", found);
  if (found.empty()) {
    throw Error(ErrorKind::data, "{} gives {}, but a tensor or a tuple, list or dict of tensors was expected",
                description(), result.tagKind());
  }
  return found;
}

}  // namespace patchioner
