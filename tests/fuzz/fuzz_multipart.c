/*
 * The first line is the content type, the rest the body: parts lie inside the body, one behind the
 * other, and there are no more of them than boundaries fit.
 */
#include "base/text/multipart.h"

#include <assert.h>

static void check_inside(Str whole, Str part)
{
    assert(part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str body = str_of((const char *)data, size);
    Str type;
    if (!str_next(&body, '\n', &type))
        return 0;
    struct multipart m;
    struct multipart_part part;
    if (!multipart_begin(type, body, &m))
        return 0;
    size_t count = 0;
    while (multipart_next(&m, &part)) {
        check_inside(body, part.body);
        check_inside(body, part.name);
        check_inside(body, part.file_name);
        check_inside(body, part.content_type);
        count++;
    }
    assert(count <= size / m.boundary.len);
    return 0;
}
