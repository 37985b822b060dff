// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/sha256.h"

#include <array>
#include <new>
#include <openssl/evp.h>
#include <stdexcept>

namespace zigzag {

namespace {

EVP_MD_CTX *context(const std::shared_ptr<void> &pointer)
{
    return static_cast<EVP_MD_CTX *>(pointer.get());
}

/// OpenSSL fails here for want of memory, or where a policy removed SHA-256 from it.
void require(int done)
{
    if (done != 1)
        throw std::runtime_error("SHA-256 is not available: check the OpenSSL configuration of this machine");
}

} // namespace

Sha256::Sha256()
    : m_context(EVP_MD_CTX_new(), [](void *pointer) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX *>(pointer)); })
{
    if (!m_context)
        throw std::bad_alloc();
    require(EVP_DigestInit_ex(context(m_context), EVP_sha256(), nullptr));
}

void Sha256::update(const void *data, std::size_t bytes)
{
    require(EVP_DigestUpdate(context(m_context), data, bytes));
}

std::string Sha256::hex()
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    require(EVP_DigestFinal_ex(context(m_context), digest.data(), &length));
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

} // namespace zigzag
