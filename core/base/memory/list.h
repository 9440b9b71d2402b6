/*
 * A singly linked list that grows at its end: its nodes have a `next`, its owner keeps the first of
 * them and the last, both NULL while it is empty.
 */
#pragma once

#include <assert.h>
#include <stddef.h>

#define LIST_APPEND(first, last, node)                                                             \
    do {                                                                                           \
        __typeof__(last) list_node_ = (node);                                                      \
        assert(((first) == NULL) == ((last) == NULL));                                             \
        list_node_->next = NULL;                                                                   \
        if ((last) == NULL)                                                                        \
            (first) = list_node_;                                                                  \
        else                                                                                       \
            (last)->next = list_node_;                                                             \
        (last) = list_node_;                                                                       \
    } while (0)

/* Takes the first node off; NULL: the list is empty. */
#define LIST_TAKE(first, last)                                                                     \
    __extension__({                                                                                \
        __typeof__(first) list_node_ = (first);                                                    \
        assert((list_node_ == NULL) == ((last) == NULL));                                          \
        (first) = list_node_ != NULL ? list_node_->next : NULL;                                    \
        if ((first) == NULL)                                                                       \
            (last) = NULL;                                                                         \
        list_node_;                                                                                \
    })

/* For a list too short to keep its last: walks to the end. */
#define LIST_APPEND_SHORT(first, node)                                                             \
    do {                                                                                           \
        __typeof__(first) list_node_ = (node);                                                     \
        __typeof__(first) *list_end_ = &(first);                                                   \
        while (*list_end_ != NULL)                                                                 \
            list_end_ = &(*list_end_)->next;                                                       \
        list_node_->next = NULL;                                                                   \
        *list_end_ = list_node_;                                                                   \
    } while (0)
