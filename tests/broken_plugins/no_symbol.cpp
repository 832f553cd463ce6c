// A shared library that has nothing to do with us.
extern "C" int add(int left, int right) {
  return left + right;
}
