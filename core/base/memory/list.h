/*
 * A singly linked list with append: its nodes have a `next`; its owner stores the first and the
 * last node, both NULL while the list is empty.
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

/* Removes the first node; NULL: the list is empty. */
#define LIST_TAKE(first, last)                                                                     \
    __extension__({                                                                                \
        __typeof__(first) list_node_ = (first);                                                    \
        assert((list_node_ == NULL) == ((last) == NULL));                                          \
        (first) = list_node_ != NULL ? list_node_->next : NULL;                                    \
        if ((first) == NULL)                                                                       \
            (last) = NULL;                                                                         \
        list_node_;                                                                                \
    })

/* For a short list without a last pointer: walks to the end. */
#define LIST_APPEND_SHORT(first, node)                                                             \
    do {                                                                                           \
        __typeof__(first) list_node_ = (node);                                                     \
        __typeof__(first) *list_end_ = &(first);                                                   \
        while (*list_end_ != NULL)                                                                 \
            list_end_ = &(*list_end_)->next;                                                       \
        list_node_->next = NULL;                                                                   \
        *list_end_ = list_node_;                                                                   \
    } while (0)
