// A symbol that the runtime library of another SDK has.
namespace patchioner {
int function_of_the_next_sdk();
}

int patchioner::function_of_the_next_sdk() {
  return 0;
}
