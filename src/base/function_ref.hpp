// SPDX-License-Identifier: MIT
// A reference to something callable, for parameters: no heap, no ownership. (What C++26 has as std::function_ref.)
#pragma once

#include <type_traits>
#include <utility>

namespace earlyseed {

template <typename Signature>
class FunctionRef;

// Must not outlive what it was made of; a lambda in the argument list lives until the call returns.
template <typename Return, typename... Arguments>
class FunctionRef<Return(Arguments...)> {
public:
    template <typename Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>) FunctionRef(Callable&& callable)
        : object_(const_cast<void*>(static_cast<const void*>(&callable))),
          call_([](void* object, Arguments... arguments) -> Return {
              return (*static_cast<std::remove_reference_t<Callable>*>(object))(std::forward<Arguments>(arguments)...);
          }) {}

    Return operator()(Arguments... arguments) const { return call_(object_, std::forward<Arguments>(arguments)...); }

private:
    void* object_;
    Return (*call_)(void*, Arguments...);
};

}  // namespace earlyseed
