// A symbol that the runtime library of a later program of the same SDK has.
namespace patchioner {
int function_of_a_later_program();
}

int patchioner::function_of_a_later_program() {
  return 0;
}
